/** The state of real jobs over REST: of every backend, of running and ended jobs, and of damaged checkpoints. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StateReading } from '../../../src/runtime/state-reading.js';
import type { CheckpointState, StateEntries } from '../../../src/rest/state-schemas.js';
import type { Checkpoints } from '../../../src/rest/job-schemas.js';
import { ESSAY_BYTES, HOSTILE } from '../../fixtures/jobs/browsed.mjs';
import { runCli } from '../run-cli.js';
import { poll, TestServer } from './server-harness.js';

const USERS = 60;
const BACKENDS = [
  ['memory, whole', { 'state.backend': 'memory', 'execution.checkpointing.incremental': 'false' }],
  ['memory, changes', { 'state.backend': 'memory', 'execution.checkpointing.incremental': 'true' }],
  ['lsm, changes', { 'state.backend': 'lsm', 'execution.checkpointing.incremental': 'true' }],
] as const;

describe('state over REST', () => {
  let directory: string;
  let server: TestServer;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-server-state-'));
    server = await TestServer.start(join(directory, 'data'), '--uploads', '--slots', '8');
  });
  afterAll(async () => {
    await server?.release();
    rmSync(directory, { recursive: true, force: true });
  });

  const browsed = (settings: object, params: object = {}): Promise<string> =>
    server.run('browsed.mjs', {
      params: { users: USERS, rate: 2000, ...params },
      flinkConfiguration: { 'execution.checkpointing.interval': '300ms', ...settings },
    });
  const checkpointsOf = (jobid: string) => server.call<Checkpoints>('checkpoints', { jobid });
  const stateOf = (jobid: string, checkpointid: string) =>
    server.call<CheckpointState>('checkpointState', { jobid, checkpointid });
  const entriesOf = (jobid: string, checkpointid: string, query: Record<string, string>) =>
    server.call<StateEntries>('stateEntries', {
      jobid,
      checkpointid,
      query: `?${new URLSearchParams(query).toString()}`,
    });

  it.each(BACKENDS)('is that of the checkpoint (%s)', async (_, settings) => {
    const jobid = await browsed(settings);
    // Changes upon changes, where there are any.
    await poll(
      () => checkpointsOf(jobid),
      ({ counts }) => counts.completed >= 5,
    );
    const { 'request-id': triggerid } = await server.call<{ 'request-id': string }>(
      'stopJob',
      { jobid },
      { drain: false },
    );
    await server.untilEnded(jobid);
    await server.call('savepointStatus', { jobid, triggerid });
    const { checkpoint, operators } = await stateOf(jobid, 'latest');
    expect(checkpoint.kind).toBe('savepoint');
    const sizes = operators.flatMap(({ uid, states }) =>
      states.map(({ name, kind, entries }) => [uid, name, kind, entries]),
    );
    expect(sizes).toEqual(
      expect.arrayContaining([
        ['profiles', 'seen', 'value', USERS],
        ['profiles', 'pages', 'list', USERS],
        ['profiles', 'settings', 'map', USERS],
        ['profiles', 'firsts', 'operatorList', 5],
        ['ruled', 'rules', 'broadcast', 3],
      ]),
    );
    const hourly = operators.find(({ uid }) => uid === 'hourly')?.states ?? [];
    expect(hourly.some(({ kind, entries }) => kind === 'table' && Number(entries) > 0)).toBe(true);
    // Each state as the command line prints it, but for what is secret.
    for (const { uid, states } of operators) {
      for (const { name } of states) {
        const pages: StateEntries[] = [];
        let after: string | null = null;
        do {
          const more: Record<string, string> = after === null ? {} : { after };
          const asked = { operator: uid, state: name, limit: '25', bytes: '99999', ...more };
          pages.push(await entriesOf(jobid, String(checkpoint.id), asked));
          after = pages.at(-1)?.next ?? null;
        } while (after !== null);
        const scan = await runCli(['state', 'scan', checkpoint.path, uid, name, '--json']);
        const printed = scan.stdout.trim().split('\n').filter(Boolean);
        const found = pages.flatMap(({ entries }) => entries);
        const keyOf = (entry: object) => JSON.stringify([Reflect.get(entry, 'key') ?? null]);
        expect(found.map(keyOf)).toEqual(printed.map((line) => keyOf(JSON.parse(line))));
        const text = JSON.stringify(found);
        for (const secret of ['hunter2', 'open-sesame', 'abracadabra', 'shibboleth']) {
          expect(text).not.toContain(secret);
        }
      }
    }
    const seen = { operator: 'profiles', state: 'seen' };
    const { entries } = await entriesOf(jobid, 'latest', { ...seen, key: HOSTILE });
    const got = await runCli(['state', 'get', checkpoint.path, 'profiles', 'seen', HOSTILE]);
    expect(entries).toMatchObject([{ key: HOSTILE, value: JSON.parse(got.stdout) }]);
    const profile = { operator: 'profiles', state: 'profile', key: 'user 0' };
    const [long] = (await entriesOf(jobid, 'latest', profile)).entries;
    expect(long?.bytes).toBeGreaterThan(ESSAY_BYTES);
    expect(JSON.stringify(long?.value)).toMatch(/^\{"\$cut":/);
  });

  it('is there while the job runs and its checkpoints come and go', async () => {
    const jobid = await browsed({});
    await poll(
      () => checkpointsOf(jobid),
      ({ counts }) => counts.completed >= 1,
    );
    const { checkpoint } = await poll(
      () => stateOf(jobid, 'latest'),
      ({ operators }) =>
        operators.some(({ states }) =>
          states.some(({ name, entries }) => name === 'seen' && entries === USERS),
        ),
    );
    const query = { operator: 'profiles', state: 'seen', limit: '7' };
    const id = String(checkpoint.id);
    const first = await entriesOf(jobid, id, query);
    await poll(
      () => checkpointsOf(jobid),
      ({ history }) => history.find((one) => one.id === checkpoint.id)?.discarded !== false,
    );
    const rest = await entriesOf(jobid, id, { ...query, limit: '1000', after: first.next ?? '' });
    expect(rest.entries.length).toBe(rest.looked);
    expect(first.entries).toHaveLength(7);
    expect(rest.next).toBeNull();
    await server.call('cancelJob', { jobid });
    await server.untilEnded(jobid);
  });

  it('is there of a canceled job whose checkpoint is retained, damaged as a coded error', async () => {
    const retention = 'execution.checkpointing.externalizedCheckpointRetention';
    const jobid = await browsed({ [retention]: 'retainOnCancellation' });
    await poll(
      () => checkpointsOf(jobid),
      ({ counts }) => counts.completed >= 1,
    );
    const query = { operator: 'profiles', state: 'profile' };
    const profiles = async () => {
      const { operators } = await stateOf(jobid, 'latest');
      const own = operators.find(({ uid }) => uid === 'profiles')?.states ?? [];
      return own.find(({ name }) => name === 'profile')?.entries ?? 0;
    };
    await poll(profiles, (entries) => entries === USERS);
    await server.call('cancelJob', { jobid });
    await server.untilEnded(jobid);
    const { checkpoint } = await stateOf(jobid, 'latest');
    expect((await entriesOf(jobid, 'latest', query)).entries.length).toBe(USERS);
    const home = join(checkpoint.path, '..');
    for (const folder of readdirSync(home).map((name) => join(home, name))) {
      for (const name of readdirSync(folder).filter((one) => one.startsWith('state-'))) {
        const bytes = readFileSync(join(folder, name));
        bytes.fill(0xff, 64);
        writeFileSync(join(folder, name), bytes);
        expect(statSync(join(folder, name)).size).toBe(bytes.length);
      }
    }
    const path = `/jobs/${jobid}/checkpoints/details/latest/state/entries`;
    const damaged = await server.raw('GET', `${path}?operator=profiles&state=profile`);
    expect(damaged).toMatchObject({ status: 500, body: { code: 'CHECKPOINT_CORRUPT' } });
    rmSync(checkpoint.path, { recursive: true });
    const gone = await server.raw('GET', `${path}?operator=profiles&state=profile`);
    expect(gone).toMatchObject({ status: 404, body: { code: 'CHECKPOINT_NOT_FOUND' } });
  });

  it('costs a thread only while somebody looks, and no more than its bounds', async () => {
    const from = join(import.meta.dirname, '../../fixtures/checkpoints/1/savepoint');
    const hasty = new StateReading(1);
    await expect(hasty.list(from)).rejects.toMatchObject({ code: 'STATE_UNREADABLE' });
    const small = new StateReading(60_000, 4);
    await expect(small.list(from)).rejects.toMatchObject({ code: 'STATE_UNREADABLE' });
    const reading = new StateReading();
    const all = await Promise.allSettled(Array.from({ length: 40 }, () => reading.list(from)));
    const refused = all.filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(8);
    expect(refused[0]).toMatchObject({ reason: { code: 'SERVER_UNREACHABLE' } });
    // After a request that failed the next one is answered.
    await expect(reading.list(join(from, 'nothing'))).rejects.toMatchObject({
      code: 'CHECKPOINT_NOT_FOUND',
    });
    expect((await reading.list(from)).checkpoint.path).toBe(from);
    await Promise.all([hasty.close(), small.close(), reading.close()]);
  });
});
