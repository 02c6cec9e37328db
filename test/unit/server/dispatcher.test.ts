import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MillraceError } from '../../../src/base/errors.js';
import type { Dispatcher } from '../../../src/server/dispatcher.js';
import {
  parallelismWithin,
  resourceRequirements,
} from '../../../src/server/resource-requirements.js';
import { FakeWorld, settle, submissionOf } from './fake-world.js';

const RESTARTED = {
  'restartStrategy.type': 'fixedDelay',
  'restartStrategy.fixedDelay.attempts': 1000,
  'restartStrategy.fixedDelay.delay': 0,
};

describe('Dispatcher', () => {
  let world: FakeWorld;
  beforeEach(() => {
    world = new FakeWorld();
  });
  afterEach(() => world.release());

  const statusOf = (dispatcher: Dispatcher, id: string) => dispatcher.job(id).record.status;
  const submit = (dispatcher: Dispatcher, parallelism: number, name: string | null = null) =>
    dispatcher.submit(undefined, submissionOf(parallelism, RESTARTED, name), world.module);

  it('queues what does not fit, and runs it when there is room', async () => {
    const dispatcher = world.dispatcher();
    const first = await submit(dispatcher, 3);
    const second = await submit(dispatcher, 2);
    await settle();
    expect(statusOf(dispatcher, first.id)).toBe('RUNNING');
    expect(statusOf(dispatcher, second.id)).toBe('CREATED');
    // A job that waits has no process.
    expect(world.processOf(second.id)).toBeUndefined();
    world.processOf(first.id)?.finish();
    await settle();
    expect(statusOf(dispatcher, first.id)).toBe('FINISHED');
    expect(statusOf(dispatcher, second.id)).toBe('RUNNING');
    expect(dispatcher.pool.free).toBe(2);
  });

  it('cancels what waits', async () => {
    const dispatcher = world.dispatcher();
    await submit(dispatcher, 4);
    const waiting = await submit(dispatcher, 1);
    dispatcher.job(waiting.id).cancel();
    await settle();
    expect(statusOf(dispatcher, waiting.id)).toBe('CANCELED');
    expect(dispatcher.pool.waiting).toEqual([]);
  });

  it('refuses what does not fit, if so told, and what never would', async () => {
    const dispatcher = world.dispatcher({ admission: 'refuse' });
    await submit(dispatcher, 3);
    await expect(submit(dispatcher, 2)).rejects.toMatchObject({ code: 'SLOTS_EXHAUSTED' });
    await expect(submit(dispatcher, 5)).rejects.toMatchObject({ code: 'PARALLELISM_INVALID' });
    expect(dispatcher.jobs).toHaveLength(1);
    expect(world.store.load()).toHaveLength(1);
  });

  it('runs with fewer subtasks, if so told', async () => {
    const dispatcher = world.dispatcher({ admission: 'shrink' });
    await submit(dispatcher, 3);
    const narrow = await submit(dispatcher, 8);
    await settle();
    expect(narrow.record.submission.settings.parallelism).toBe(1);
    expect(statusOf(dispatcher, narrow.id)).toBe('RUNNING');
    expect(dispatcher.pool.free).toBe(0);
    // Nothing is left to shrink to.
    const waiting = await submit(dispatcher, 1);
    await settle();
    expect(statusOf(dispatcher, waiting.id)).toBe('CREATED');
  });

  it('takes no job that cannot be planned, or not in time', async () => {
    const dispatcher = world.dispatcher({ planTimeoutMs: 20 });
    await expect(submit(dispatcher, 1, 'wrong')).rejects.toMatchObject({ code: 'FIELD_UNKNOWN' });
    await expect(submit(dispatcher, 1, 'hangs')).rejects.toMatchObject({ code: 'PLAN_TIMEOUT' });
    const hanging = dispatcher.plan(submissionOf(1, {}, 'hangs'), world.module);
    await expect(hanging).rejects.toMatchObject({ code: 'PLAN_TIMEOUT' });
    expect(dispatcher.jobs).toEqual([]);
    expect(world.store.load()).toEqual([]);
    expect(world.processes.every(({ isOver }) => isOver)).toBe(true);
    expect(dispatcher.pool.free).toBe(4);
  });

  it('plans a restore in a process that is gone then, whatever becomes of it', async () => {
    const dispatcher = world.dispatcher({ planTimeoutMs: 20 });
    const plan = (name: string | null) =>
      dispatcher.planRestore(submissionOf(1, {}, name), world.module);
    expect(await plan(null)).toMatchObject({ job: 'fake', refusals: [] });
    for (const [name, code] of [
      ['wrong', 'FIELD_UNKNOWN'],
      ['hangs', 'PLAN_TIMEOUT'],
      ['hangs on restore', 'PLAN_TIMEOUT'],
      ['dies on restore', 'PROCESS_DIED'],
      ['refuses', 'CHECKPOINT_NOT_FOUND'],
    ] as const) {
      await expect(plan(name), name).rejects.toMatchObject({ code });
    }
    expect(world.processes).toHaveLength(6);
    expect(world.processes.every(({ isOver }) => isOver)).toBe(true);
    expect(dispatcher.jobs).toEqual([]);
    expect(dispatcher.pool.free).toBe(4);
  });

  it('starts a job again whose process dies, by its strategy', async () => {
    const dispatcher = world.dispatcher();
    const once = { ...RESTARTED, 'restartStrategy.fixedDelay.attempts': 1 };
    const job = await dispatcher.submit(undefined, submissionOf(1, once), world.module);
    await settle();
    expect(world.processOf(job.id)?.run.identity).toEqual({ jobId: job.id, isResumed: false });
    world.processOf(job.id)?.kill();
    await settle();
    expect(job.record).toMatchObject({ status: 'RUNNING', restarts: 1 });
    expect(world.processOf(job.id)?.run.identity).toEqual({ jobId: job.id, isResumed: true });
    world.processOf(job.id)?.kill();
    await settle();
    expect(job.record).toMatchObject({ status: 'FAILED', restarts: 1 });
    expect(job.record.failures.map(({ error }) => error.code)).toEqual([
      'PROCESS_DIED',
      'PROCESS_DIED',
    ]);
  });

  it('ends a job that has failed within its process', async () => {
    const dispatcher = world.dispatcher();
    const job = await submit(dispatcher, 1);
    await settle();
    world.processOf(job.id)?.fail(new MillraceError('USER_FUNCTION_FAILED', 'No.'));
    await settle();
    expect(job.record).toMatchObject({ status: 'FAILED', restarts: 0, pid: null });
  });

  it('keeps as many ended jobs as was said', async () => {
    const dispatcher = world.dispatcher({ endedMax: 2 });
    const ids: string[] = [];
    for (let number = 0; number < 20; number++) {
      const { id } = await submit(dispatcher, 1);
      ids.push(id);
      await settle();
      world.time.nowMs++;
      world.processOf(id)?.finish();
      await settle();
    }
    expect(dispatcher.jobs.map(({ id }) => id)).toEqual(ids.slice(-2).toReversed());
    expect(
      world.store
        .load()
        .map(({ id }) => id)
        .toSorted(),
    ).toEqual(ids.slice(-2).toSorted());
  });

  it('keeps ended jobs for as long as was said, over servers', async () => {
    const dispatcher = world.dispatcher({ endedMs: 1000 });
    const [first, second] = [await submit(dispatcher, 1), await submit(dispatcher, 1)];
    await settle();
    world.processOf(first.id)?.finish();
    await settle();
    world.time.nowMs += 600;
    world.processOf(second.id)?.finish();
    await settle();
    expect(dispatcher.jobs).toHaveLength(2);
    world.time.nowMs += 600;
    const ids = (): readonly string[] => world.store.load().map(({ id }) => id);
    await dispatcher.close();
    const next = world.dispatcher({ endedMs: 1000 });
    next.recover();
    expect(next.jobs.map(({ id }) => id)).toEqual([second.id]);
    expect(ids()).toEqual([second.id]);
    // It is looked in intervals as well, in which nothing else happens.
    world.time.nowMs += 600;
    await expect.poll(ids).toEqual([]);
    await next.close();
  });

  it('does not start where a job needs more slots than there are', async () => {
    const dispatcher = world.dispatcher();
    await submit(dispatcher, 4);
    await settle();
    await dispatcher.close();
    expect(() => world.dispatcher({ slots: 3 }).recover()).toThrow(
      expect.objectContaining({
        code: 'OPTION_INVALID',
        advice: expect.stringContaining('--slots 4 '),
      }),
    );
  });

  it('gives a job its slots before it is rescaled, and takes those back that it has no more', async () => {
    const dispatcher = world.dispatcher();
    const job = await submit(dispatcher, 1);
    await settle();
    const process = world.processOf(job.id);
    const wider = job.rescale(3);
    await settle();
    expect(process?.rescaling?.parallelism).toBe(3);
    expect(dispatcher.pool.free).toBe(1);
    await expect(job.rescale(2)).rejects.toMatchObject({ code: 'RESCALE_FAILED' });
    process?.rescaling?.resolve();
    expect(await wider).toMatchObject({ to: 3 });
    // It is on disk when it is told.
    const [stored] = world.store.load();
    expect(stored?.submission.settings).toMatchObject({ parallelism: 3 });
    expect(stored?.plan?.slots).toBe(3);
    const narrower = job.rescale(2);
    await settle();
    expect(dispatcher.pool.free).toBe(1);
    process?.rescaling?.resolve();
    await narrower;
    expect(dispatcher.pool.free).toBe(2);
    const failing = job.rescale(4);
    await settle();
    process?.rescaling?.reject(new MillraceError('RESCALE_FAILED', 'No.'));
    await expect(failing).rejects.toMatchObject({ code: 'RESCALE_FAILED' });
    expect(dispatcher.pool.free).toBe(2);
    process?.kill();
    await settle();
    expect(world.processOf(job.id)?.run.settings).toMatchObject({ parallelism: 2 });
    await dispatcher.close();
    const next = world.dispatcher();
    next.recover();
    await settle();
    expect(world.processOf(job.id)?.run.settings.parallelism).toBe(2);
    expect(next.pool.free).toBe(2);
  });

  it('does not begin to rescale a job without slots for it', async () => {
    const dispatcher = world.dispatcher();
    const job = await submit(dispatcher, 1);
    const waiting = await submit(dispatcher, 4);
    await settle();
    const refused = [
      [2, 'SLOTS_EXHAUSTED'],
      [5, 'PARALLELISM_INVALID'],
      [200, 'PARALLELISM_INVALID'],
    ] as const;
    for (const [parallelism, code] of refused) {
      await expect(job.rescale(parallelism)).rejects.toMatchObject({ code });
    }
    await expect(waiting.rescale(1)).rejects.toMatchObject({ code: 'JOB_NOT_RUNNING' });
    expect(world.processOf(job.id)?.rescaling).toBeNull();
    expect(dispatcher.pool.free).toBe(3);
  });

  it('meets bounds of chains by one parallelism, or does nothing', async () => {
    const dispatcher = world.dispatcher();
    const job = await submit(dispatcher, 2);
    await submit(dispatcher, 1);
    await settle();
    const [source = '', sink = ''] = Object.keys(resourceRequirements(job));
    const bounds = (lowerBound: number, upperBound: number) => {
      return { parallelism: { lowerBound, upperBound } };
    };
    expect(resourceRequirements(job)).toEqual({ [source]: bounds(1, 2), [sink]: bounds(1, 2) });
    const within = (ofSource: [number, number], ofSink: [number, number]) =>
      parallelismWithin(job, { [source]: bounds(...ofSource), [sink]: bounds(...ofSink) });
    expect(await within([1, 2], [1, 2])).toBe(2);
    expect(await within([1, 3], [1, 3])).toBe(3);
    // One slot is free.
    expect(await within([1, 9], [1, 9])).toBe(3);
    expect(await within([9, 9], [1, 9])).toBe(9);
    expect(await within([1, 1], [1, 2])).toBe(1);
    for (const wrong of [within([1, 3], [1, 2]), within([1, 1], [2, 2]), within([1, 3], [1, 4])]) {
      await expect(wrong).rejects.toMatchObject({ code: 'FEATURE_UNSUPPORTED' });
    }
    for (const wrong of [
      within([3, 1], [1, 1]),
      parallelismWithin(job, { [source]: bounds(1, 1) }),
      parallelismWithin(job, { [source]: bounds(1, 1), ['a'.repeat(32)]: bounds(1, 1) }),
    ]) {
      await expect(wrong).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
    }
  });

  it('does not take a job id twice', async () => {
    const dispatcher = world.dispatcher();
    const id = 'a'.repeat(32);
    await dispatcher.submit(id, submissionOf(1), world.module);
    const again = dispatcher.submit(id, submissionOf(1), world.module);
    await expect(again).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    expect(dispatcher.jobs).toHaveLength(1);
    await dispatcher.close();
    const late = dispatcher.submit(undefined, submissionOf(1), world.module);
    await expect(late).rejects.toMatchObject({ code: 'SERVER_UNREACHABLE' });
  });
});

/** What may happen to one of the jobs, or to the server. */
const steps = fc.array(
  fc.record({
    what: fc.constantFrom(
      ...['submit', 'finish', 'die', 'fail', 'cancel', 'cancelEnds', 'serverDies'],
      ...['rescale', 'rescaled', 'rescaleFails'],
    ),
    which: fc.nat(7),
    slots: fc.integer({ min: 1, max: 4 }),
  }),
  { maxLength: 25 },
);

type Expected = 'alive' | 'canceling' | 'FINISHED' | 'FAILED' | 'CANCELED';

describe('whatever happens to jobs and server', () => {
  it('no job is lost, run twice at a time, or given slots that there are not', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const world = new FakeWorld();
        let dispatcher = world.dispatcher();
        const expected = new Map<string, Expected>();
        try {
          for (const { what, which, slots } of all) {
            const id = [...expected.keys()][which] ?? '';
            const process = world.processOf(id);
            const state = expected.get(id);
            if (what === 'submit') {
              const submission = submissionOf(slots, RESTARTED);
              const job = await dispatcher.submit(undefined, submission, world.module);
              expected.set(job.id, 'alive');
            } else if (what === 'serverDies') {
              // What it knew is on disk; its processes end without a server, or are found by the next one.
              for (const one of world.processes.filter(({ isOver }) => !isOver)) {
                one.isOver = slots % 2 === 1 || one.isCanceled || !one.isAdmitted;
              }
              dispatcher = world.dispatcher();
              dispatcher.recover();
              for (const [job, was] of expected) {
                if (was === 'canceling') expected.set(job, 'CANCELED');
              }
            } else if (what === 'rescale' && state === 'alive') {
              // It may wait, or be about to change already, or find too few slots.
              const asked = dispatcher.job(id).rescale(slots);
              asked.catch(() => {});
            } else if (what === 'rescaled') {
              process?.rescaling?.resolve();
            } else if (what === 'rescaleFails') {
              process?.rescaling?.reject(new MillraceError('RESCALE_FAILED', 'No.'));
            } else if (what === 'cancel' && state === 'alive') {
              dispatcher.job(id).cancel();
              expected.set(id, process?.isAdmitted === true ? 'canceling' : 'CANCELED');
            } else if (what === 'cancelEnds' && process?.isCanceled === true) {
              process.fail(new MillraceError('JOB_CANCELED', 'It was.'));
              expected.set(id, 'CANCELED');
            } else if (what === 'finish' && process?.isAdmitted === true) {
              process.finish();
              expected.set(id, 'FINISHED');
            } else if (what === 'die' && process?.isAdmitted === true) {
              process.kill();
              if (state === 'canceling') expected.set(id, 'CANCELED');
            } else if (what === 'fail' && process?.isAdmitted === true) {
              process.fail(new MillraceError('USER_FUNCTION_FAILED', 'No.'));
              expected.set(id, 'FAILED');
            }
            await settle();
            check(world, dispatcher, expected);
          }
          expect(world.defects).toEqual([]);
        } finally {
          world.release();
        }
      }),
      { numRuns: 25 },
    );
  });
});

function check(
  world: FakeWorld,
  dispatcher: Dispatcher,
  expected: ReadonlyMap<string, Expected>,
): void {
  const stored = new Map(world.store.load().map((record) => [record.id, record]));
  expect([...stored.keys()].toSorted()).toEqual([...expected.keys()].toSorted());
  let held = 0;
  for (const [id, state] of expected) {
    const { record } = dispatcher.job(id);
    const running = world.processes.filter(({ run, isOver }) => {
      return run.identity?.jobId === id && !isOver;
    });
    expect(running.length).toBeLessThanOrEqual(1);
    expect(stored.get(id)?.status).toBe(record.status);
    const { parallelism } = record.submission.settings;
    const [process] = running;
    const asked = process?.rescaling?.isOver === false ? process.rescaling.parallelism : 0;
    if (process !== undefined) held += Math.max(parallelism ?? 0, asked);
    if (state === 'canceling') expect(record.status).toBe('CANCELLING');
    else if (state !== 'alive') expect(record.status).toBe(state);
    else expect(record.status).toBe(running.length === 1 ? 'RUNNING' : 'CREATED');
  }
  expect(dispatcher.pool.free).toBe(4 - held);
}
