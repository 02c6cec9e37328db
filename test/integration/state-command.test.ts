/** `millrace state`, on a checkpoint and a savepoint that are kept for later versions. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCli } from './run-cli.js';

const fixtures = fileURLToPath(new URL('../fixtures/checkpoints/1/', import.meta.url));
const savepoint = join(fixtures, 'savepoint');
const checkpoints = join(fixtures, 'checkpoints');

const state = (...words: readonly string[]) => runCli(['state', ...words]);
const linesOf = (text: string): Record<string, unknown>[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('millrace state', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-state-'));
  });

  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it('ls lists operators, states, positions and pending output', async () => {
    const { stdout, code } = await state('ls', savepoint);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^savepoint \d+ of job "every-state", taken 20/);
    expect(stdout).toMatch(/^records +records +2 +8 +source: 2 splits in hand, 0 finished$/m);
    expect(stdout).toMatch(/^keeper-out .* sink: \d+ to commit$/m);
    expect(stdout).toMatch(/^keeper +days +map +utf8 +5 +\d/m);
    expect(stdout).toContain('  records-0 at 20');
    const { stdout: json } = await state('ls', join(checkpoints, 'chk-2', '_metadata'), '--json');
    const [head, ...operators] = linesOf(json);
    expect(head).toMatchObject({ type: 'checkpoint', id: 2, kind: 'checkpoint' });
    const aggregate = operators.find(({ uid }) => uid === 'aggregate');
    expect(aggregate).toMatchObject({
      type: 'operator',
      parallelism: 2,
      states: [
        { name: 'accumulators', kind: 'table', keyTypes: ['utf8'], entries: 5 },
        { name: 'distinct.days', kind: 'table', keyTypes: ['utf8'], entries: 15 },
      ],
    });
  });

  it('get prints a value, and tells a key that is not there from a wrong call', async () => {
    const found = await state('get', savepoint, 'by-two', 'accumulators', '["ann","2026-01-05"]');
    expect(found.code).toBe(0);
    expect(JSON.parse(found.stdout)).toEqual({ rows: 3 });
    const json = await state('get', savepoint, 'keeper', 'title', 'ann', '--json');
    expect(linesOf(json.stdout)).toEqual([
      { type: 'entry', uid: 'keeper', state: 'title', key: 'ann', value: 'title of ann' },
    ]);
    const absent = await state('get', savepoint, 'keeper', 'title', 'anne');
    expect([absent.code, absent.stdout]).toEqual([1, '']);
    expect(absent.stderr).toMatch(/STATE_NOT_FOUND[\s\S]*Did you mean "ann"\?/);
    for (const words of [
      ['get', savepoint, 'keper', 'title', 'ann'],
      ['get', savepoint, 'keeper', 'titel', 'ann'],
      ['ls', join(directory, 'nothing')],
    ]) {
      expect((await state(...words)).code).toBe(2);
    }
  });

  it('scan prints entries, of the key groups and as many as asked for', async () => {
    const all = linesOf((await state('scan', checkpoints, 'keeper', 'last', '--json')).stdout);
    expect(all).toHaveLength(5);
    const group = all[0]?.['keyGroup'] as number;
    const words = ['scan', checkpoints, 'keeper', 'last', '--json', '--key-groups', `${group}`];
    const some = linesOf((await state(...words)).stdout);
    expect(some).toEqual(all.filter(({ keyGroup }) => keyGroup === group));
    const limited = await state('scan', checkpoints, 'keeper', 'last', '--limit', '2');
    expect(limited.stdout.trim().split('\n')).toHaveLength(2);
    expect(limited.stdout).toMatch(/^.+\t\d+$/m);
    const items = await state('scan', savepoint, 'keeper', 'seen');
    expect(items.stdout.trim().split('\n').toSorted()).toEqual(['0', '1', '2', '3']);
    const wrong = await state('scan', savepoint, 'keeper', 'last', '--key-groups', '5-2');
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('0-31,64')]);
  });

  it('edit writes a savepoint, which diff tells from the one before', async () => {
    const edits = join(directory, 'edits.ndjson');
    const lines = [
      { uid: 'keeper', state: 'total', key: 'ann', value: 1 },
      { uid: 'keeper', state: 'days', key: 'bob', delete: true },
      { uid: 'keeper', state: 'title', key: 'nobody', delete: true },
      { uid: 'keeper', state: 'seen', items: [9] },
    ];
    writeFileSync(edits, lines.map((line) => JSON.stringify(line)).join('\n'));
    const to = join(directory, 'edited');
    const flags = ['--rename', 'reduce=reduced', '--remove', 'join', '--max-parallelism', 'top=16'];
    const edit = await state('edit', savepoint, '--to', to, '--apply', edits, ...flags);
    expect(edit).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('2 entries set, 1 del'),
    });
    expect(edit.stderr).toContain('keeper has no "title" for "nobody" to delete');
    expect((await state('get', to, 'keeper', 'total', 'ann')).stdout.trim()).toBe('1');

    const diff = await state('diff', savepoint, to);
    expect(diff.code).toBe(1);
    expect(diff.stdout).toMatch(/^\+ reduced is new$/m);
    expect(diff.stdout).toMatch(/^- join is gone$/m);
    expect(diff.stdout).toMatch(/^keeper +days +0 +1 +0 +4$/m);
    expect(diff.stdout).toMatch(/^ {2}~ ann: .+ → 1$/m);
    const json = linesOf((await state('diff', savepoint, to, '--json', '--samples', '1')).stdout);
    expect(json[0]).toMatchObject({ type: 'diff', addedOperators: ['reduced'], isDifferent: true });
    const seen = json.find((line) => line['state'] === 'seen');
    expect(seen).toMatchObject({ added: 1, removed: 4, same: 0 });
    expect(seen?.['samples']).toHaveLength(1);
    const same = await state('diff', savepoint, savepoint);
    expect([same.code, same.stdout]).toEqual([0, 'They are the same.\n']);

    const again = await state('edit', savepoint, '--to', to);
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('OUTPUT_EXISTS')]);
    writeFileSync(edits, '{"uid":"keeper","state":"total","key":"ann","value":1}\n{"uid":1}\n');
    const bad = await state('edit', savepoint, '--to', join(directory, 'x'), '--apply', edits);
    expect([bad.code, bad.stderr]).toEqual([2, expect.stringContaining(`${edits}:2`)]);
    expect(readdirSync(directory)).not.toContain('x');
  });

  it('export writes records: one for each element, entry and timer', async () => {
    const to = join(directory, 'days');
    const done = await state('export', savepoint, 'keeper', 'days', '--to', to, '--json');
    expect(linesOf(done.stdout)[0]).toMatchObject({ type: 'exported', records: 15 });
    const [part = ''] = readdirSync(to);
    const records = linesOf(readFileSync(join(to, part), 'utf8'));
    expect(records).toHaveLength(15);
    expect(records[0]).toEqual({
      key: expect.any(String),
      mapKey: expect.stringMatching(/^2026-01-0/),
      value: expect.any(Number),
    });
    const parquet = join(directory, 'accumulators');
    const words = ['export', savepoint, 'by-two', 'accumulators', '--to', parquet];
    expect((await state(...words, '--format', 'parquet')).stdout).toMatch(/^15 records in /);
    expect(readdirSync(parquet)).toEqual([expect.stringMatching(/\.parquet$/)]);
    const wrong = await state(...words, '--format', 'parket');
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('"parquet"')]);
  });

  it('tells damage with file and offset', async () => {
    const copy = join(directory, 'copy');
    cpSync(savepoint, copy, { recursive: true });
    const name = readdirSync(copy).find((each) => each.startsWith('state-')) ?? '';
    const bytes = readFileSync(join(copy, name));
    bytes[bytes.length - 9] = (bytes[bytes.length - 9] ?? 0) ^ 1;
    writeFileSync(join(copy, name), bytes);
    const { code, stderr } = await state('ls', copy);
    expect(code).toBe(2);
    expect(stderr).toMatch(/CHECKPOINT_CORRUPT/);
    expect(stderr).toContain(name);
  });
});
