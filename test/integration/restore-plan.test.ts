/** What going on from a checkpoint would mean, before it is done. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { explainRestore, type RestoredOperator, type RestoreReport } from 'millrace/state';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import everyState from '../fixtures/jobs/every-state.mjs';
import { fixture, runCli } from './run-cli.js';

const fixtures = fileURLToPath(new URL('../fixtures/checkpoints/1/', import.meta.url));
const savepoint = join(fixtures, 'savepoint');

describe('the plan of a restore', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-plan-'));
  });

  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const report = (
    settings: Readonly<Record<string, unknown>>,
    parallelism = 2,
    maxParallelism = 8,
  ): RestoreReport =>
    explainRestore(everyState, {
      params: { limit: 30, out: null },
      parallelism,
      maxParallelism,
      baseDirectory: directory,
      settings,
    });

  const of = ({ operators }: RestoreReport, uid: string): RestoredOperator | undefined =>
    operators.find((operator) => operator.uid === uid);

  const edited = async (...flags: readonly string[]): Promise<string> => {
    const to = join(directory, 'edited');
    const { code } = await runCli(['state', 'edit', savepoint, '--to', to, ...flags]);
    expect(code).toBe(0);
    return to;
  };

  it('says that everything goes on where nothing has changed, at another parallelism too', () => {
    for (const parallelism of [2, 4]) {
      const plan = report({ 'execution.stateRecovery.path': savepoint }, parallelism);
      expect(plan).toMatchObject({ job: 'every-state', unreadable: [], refusals: [] });
      expect(plan.checkpoint).toMatchObject({ kind: 'savepoint', path: savepoint });
      expect(plan.operators.every(({ fate }) => fate === 'restored')).toBe(true);
      expect(of(plan, 'keeper')).toMatchObject({
        before: { parallelism: 2, states: expect.arrayContaining([expect.anything()]) },
        now: { parallelism, maxParallelism: 8 },
      });
    }
  });

  it('names what is new, lost and dropped, and why the job would not start', async () => {
    const from = await edited('--rename', 'keeper=keepr', '--rename', 'map-752697b6=nothing');
    const settings = { 'execution.stateRecovery.path': from };
    const plan = report(settings);
    expect(of(plan, 'keeper')).toMatchObject({ fate: 'new', before: null });
    expect(of(plan, 'keepr')).toMatchObject({ fate: 'lost', now: null, perhapsNow: 'keeper' });
    expect(of(plan, 'nothing')).toMatchObject({ fate: 'dropped', now: null, perhapsNow: null });
    expect(plan.refusals.map(({ code }) => code)).toEqual(['STATE_NOT_RESTORED']);
    const allowed = { ...settings, 'execution.stateRecovery.ignoreUnclaimedState': true };
    expect(report(allowed).refusals).toEqual([]);
  });

  it('names every operator that the maximum parallelism stands in the way of, and none for its phases', () => {
    const settings = { 'execution.stateRecovery.path': savepoint };
    const other = report(settings, 2, 16);
    const refused = other.refusals.map(({ code, where }) => [code, where.uid]);
    expect(refused).toContainEqual(['PARALLELISM_INVALID', 'keeper']);
    expect(refused).toContainEqual(['PARALLELISM_INVALID', 'join']);
    expect(report(settings, 1).refusals).toEqual([]);
  });

  it('names damaged state with file and offset, and newer checkpoints that are passed over', () => {
    cpSync(join(fixtures, 'checkpoints'), join(directory, 'checkpoints/job'), { recursive: true });
    const home = join(directory, 'checkpoints/job');
    const damage = (path: string): void => {
      const bytes = readFileSync(path);
      bytes[bytes.length - 9] = (bytes[bytes.length - 9] ?? 0) ^ 1;
      writeFileSync(path, bytes);
    };
    const shared = readdirSync(join(home, 'shared')).find((name) => name.startsWith('state-2'));
    damage(join(home, 'shared', shared ?? ''));
    const chk = { 'execution.stateRecovery.path': 'checkpoints/job/chk-2' };
    const [first, ...others] = report(chk).unreadable;
    expect(others).toEqual([]);
    expect(first).toMatchObject({
      code: 'CHECKPOINT_CORRUPT',
      where: { file: join(home, 'shared', shared ?? ''), uid: expect.any(String) },
    });
    const latest = {
      'execution.stateRecovery.path': 'latest',
      'execution.checkpointing.dir': 'empty',
    };
    const nothing = report(latest);
    expect(nothing).toMatchObject({ checkpoint: null, refusals: [] });
    expect(nothing.operators.every(({ fate }) => fate === 'new')).toBe(true);
    expect(() => report({})).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  });

  it('is printed by run --plan and explain --from, which run nothing', async () => {
    const from = await edited('--rename', 'keeper=keepr');
    const job = fixture('every-state.mjs');
    const words = [job, '--param', 'limit=30', '--param', 'out=null', '-p', '2'];
    const max = ['-D', 'maxParallelism=8', '--from'];
    const good = await runCli(['run', ...words, ...max, savepoint, '--plan'], { cwd: directory });
    expect(good).toMatchObject({ code: 0, stderr: '' });
    expect(good.stdout).toMatch(/^restored +keeper +process +2 +8 +.*amounts \d/m);
    const bad = await runCli(['explain', ...words, ...max, from], { cwd: directory });
    expect(bad.code).toBe(1);
    expect(bad.stdout).toMatch(/^lost +keepr .*perhaps now "keeper"$/m);
    expect(bad.stdout).toMatch(/^ {2}STATE_NOT_RESTORED /m);
    const json = await runCli(['run', ...words, ...max, from, '--plan', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({
      type: 'restorePlan',
      refusals: [{ code: 'STATE_NOT_RESTORED' }],
    });
  });
});
