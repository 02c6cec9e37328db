/** Which checkpoints may be looked into over REST, and what is answered. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkpointEvent } from './checkpointed.js';
import { fakeRest } from './fake-rest.js';
import { FakeWorld, settle, submissionOf } from './fake-world.js';

const savepoint = fileURLToPath(new URL('../../fixtures/checkpoints/1/savepoint', import.meta.url));
const jobid = 'f'.repeat(32);
const JOB = `/jobs/${jobid}/checkpoints`;

describe('state over REST', () => {
  let world: FakeWorld;

  beforeEach(() => {
    world = new FakeWorld();
  });
  afterEach(() => world.release());

  async function asked(path: string | null, options = {}) {
    const dispatcher = world.dispatcher();
    const { http } = fakeRest(world, dispatcher, options);
    await dispatcher.submit(jobid, submissionOf(1), world.module);
    await settle();
    world.processes[0]?.tell(checkpointEvent(path));
    await settle();
    return async (url: string) => {
      const reply = await http.inject({ url, headers: { host: 'localhost' } });
      return { status: reply.statusCode, body: JSON.parse(reply.body) };
    };
  }

  it('lists what a checkpoint holds, and pages through a state', async () => {
    const get = await asked(savepoint);
    const listed = await get(`${JOB}/details/3/state`);
    expect(listed).toMatchObject({ status: 200, body: { checkpoint: { id: 3, path: savepoint } } });
    const keeper = listed.body.operators.find(({ uid }: { uid: string }) => uid === 'keeper');
    const days = keeper.states.find(({ name }: { name: string }) => name === 'days');
    expect(days).toMatchObject({ kind: 'map', keyTypes: ['utf8'], entries: 5 });
    const entries = `${JOB}/details/latest/state/entries?operator=keeper&state=days`;
    const first = await get(`${entries}&limit=2`);
    expect(first.body.entries).toHaveLength(2);
    const second = await get(`${entries}&after=${first.body.next}`);
    expect(second.body).toMatchObject({ next: null, looked: 3 });
    const one = await get(`${entries}&key=ann&bytes=10`);
    expect(one.body.entries).toMatchObject([
      { key: 'ann', value: { $cut: { text: '{"$map":[[' } } },
    ]);
  });

  it('knows no checkpoint that the job does not know, whatever it is called', async () => {
    const get = await asked(savepoint);
    for (const id of ['2', '4', '%2e%2e%2f3', '3%2f..', 'chk-3', '03', '__proto__']) {
      const { status, body } = await get(`${JOB}/details/${id}/state`);
      expect({ id, status, code: body.code }).toEqual({ id, status: 404, code: 'PATH_UNKNOWN' });
    }
  });

  it('says so when there is none, when it is in memory, and when it was deleted', async () => {
    const inMemory = await asked(null);
    const answered = await inMemory(`${JOB}/details/latest/state`);
    expect(answered).toMatchObject({ status: 404, body: { code: 'CHECKPOINT_NOT_FOUND' } });
    expect(answered.body.advice).toContain('execution.checkpointing.dir');
  });

  it('says of a checkpoint that was deleted that it was', async () => {
    const gone = join(world.directory, 'gone');
    const get = await asked(gone);
    const answered = await get(`${JOB}/details/3/state`);
    expect(answered).toMatchObject({ status: 404, body: { code: 'CHECKPOINT_NOT_FOUND' } });
    const { body } = await get(JOB);
    expect(body.history[0]).toMatchObject({ id: 3, discarded: true });
    rmSync(gone, { force: true });
  });

  it('tells a checkpoint that is there from one that is not', async () => {
    const { body } = await (await asked(savepoint))(JOB);
    expect(body.history[0]).toMatchObject({ id: 3, discarded: false });
  });

  it('wants to know of which state, within bounds', async () => {
    const get = await asked(savepoint);
    const entries = `${JOB}/details/3/state/entries`;
    for (const query of [
      '',
      '?operator=keeper',
      '?operator=keeper&state=days&limit=1001',
      '?operator=keeper&state=days&limit=0',
      '?operator=keeper&state=days&bytes=100000',
      '?operator=keeper&state=days&after=..',
      '?operator=keeper&state=days&path=/etc',
    ]) {
      const { status, body } = await get(`${entries}${query}`);
      expect({ query, status, code: body.code }).toMatchObject({
        status: 400,
        code: 'REQUEST_INVALID',
      });
    }
    const near = await get(`${entries}?operator=keeper&state=day`);
    expect(near).toMatchObject({ status: 404, body: { code: 'STATE_NOT_FOUND' } });
    expect(near.body.advice).toContain('"days"');
  });

  it('shows no entries where no records are shown', async () => {
    const get = await asked(savepoint, { allowsTaps: false });
    const { status, body } = await get(`${JOB}/details/3/state/entries?operator=keeper&state=days`);
    expect({ status, code: body.code }).toEqual({ status: 403, code: 'TAPS_DISABLED' });
    expect((await get(`${JOB}/details/3/state`)).status).toBe(200);
  });
});
