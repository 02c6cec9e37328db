import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../src/base/random.js';
import { CheckpointCoordinator } from '../../../src/checkpoint/checkpoint-coordinator.js';
import {
  type CheckpointRetention,
  type EndReason,
  outlives,
} from '../../../src/checkpoint/checkpoint-protocol.js';
import { beginCheckpoints } from '../../../src/checkpoint/checkpoint-state.js';
import { NO_STATISTICS } from '../../../src/checkpoint/checkpoint-statistics.js';
import { Bench, commit, ERROR, POLICY, snapshot } from './coordinator-bench.js';

describe('when checkpoints are taken', () => {
  it('the first comes within an interval of the start, at a time that the seed decides', () => {
    const times = Array.from({ length: 50 }, (_, seed) => {
      const policy = { ...POLICY, minPauseMs: 30 };
      const start = { policy, slots: [0], nextId: 1, restored: null, retained: [] };
      const all = { ...start, statistics: NO_STATISTICS, epochMs: 0 };
      return beginCheckpoints(all, new SeededRandom(seed)).firstDelayMs;
    });
    expect(Math.min(...times)).toBeGreaterThanOrEqual(30);
    expect(Math.max(...times)).toBeLessThanOrEqual(100);
    expect(new Set(times).size).toBeGreaterThan(40);
  });

  it('then in a steady beat, whose missed beats are not made up for', () => {
    const bench = new Bench().run();
    const first = bench.nowMs;
    bench.complete(1);
    expect(bench.coordinator.wakeAtMs).toBeCloseTo(first + 100);
    bench.nowMs = first + 350;
    bench.send({ kind: 'tick' });
    bench.complete(2);
    expect(bench.triggered).toEqual([1, 2]);
    expect(bench.coordinator.wakeAtMs).toBeCloseTo(first + 400);
  });

  it('not before all slots run, nor without an interval', () => {
    const bench = new Bench();
    bench.at(10_000);
    expect(bench.triggered).toEqual([]);
    const off = new Bench({ intervalMs: null });
    off.send({ kind: 'running' });
    off.at(10_000);
    expect(off.triggered).toEqual([]);
    expect(off.coordinator.wakeAtMs).toBe(Number.POSITIVE_INFINITY);
  });

  it('with a pause from the completion of the last one; a failed one does not move it', () => {
    const bench = new Bench({ minPauseMs: 80, tolerableFailures: 9 }).run();
    const first = bench.nowMs;
    bench.nowMs = first + 90;
    bench.complete(1);
    expect(bench.coordinator.wakeAtMs).toBe(first + 170);
    bench.wake();
    bench.nowMs += 5;
    bench.decline(2, 0);
    expect(bench.coordinator.wakeAtMs).toBe(first + 270);
  });

  it('no more often than the pause allows, whatever the interval', () => {
    const bench = new Bench({ minPauseMs: 500 }).run();
    const first = bench.nowMs;
    expect(first).toBe(500);
    bench.complete(1);
    expect(bench.coordinator.wakeAtMs).toBe(1000);
  });

  it('no more at a time than allowed; the next as soon as there is room', () => {
    const bench = new Bench({ maxConcurrent: 2, timeoutMs: 10_000 }).run();
    const first = bench.nowMs;
    bench.at(first + 100);
    bench.at(first + 200);
    expect(bench.triggered).toEqual([1, 2]);
    bench.nowMs = first + 250;
    bench.complete(1);
    expect(bench.triggered).toEqual([1, 2, 3]);
  });

  it('savepoints at once, also beside others; checkpoints that are asked for wait for room', () => {
    const bench = new Bench({ minPauseMs: 50 }).run();
    bench.request('checkpoint');
    bench.request('checkpoint');
    bench.request('savepoint');
    expect(bench.of('trigger').map(({ trigger }) => trigger.kind)).toEqual([
      'checkpoint',
      'savepoint',
    ]);
    expect(bench.of('trigger')[1].target).toBe('savepoints');
    bench.complete(1);
    bench.complete(2);
    // The pause is for periodic ones only.
    expect(bench.triggered).toEqual([1, 2, 3]);
  });

  it('what was asked for before the job ran is taken when it does, savepoints first', () => {
    const bench = new Bench({ intervalMs: null });
    bench.request('checkpoint');
    bench.request('savepoint');
    expect(bench.triggered).toEqual([]);
    bench.send({ kind: 'running' });
    expect(bench.of('trigger').map(({ trigger }) => trigger.kind)).toEqual(['savepoint']);
  });

  it('refuses what would wait behind a thousand others', () => {
    const bench = new Bench();
    for (let index = 0; index < 1000; index++) bench.request('checkpoint');
    expect(bench.of('answer')).toEqual([]);
    const token = bench.request('checkpoint');
    const [{ outcome, ...answer }] = bench.of('answer');
    expect(answer.token).toBe(token);
    expect(outcome).toMatchObject({ error: { code: 'CHECKPOINT_FAILED' } });
  });

  it('ids and times go on where the attempt before ended', () => {
    const bench = new Bench({}, { nextId: 42 }).run();
    expect(bench.of('trigger')[0].trigger).toMatchObject({
      id: 42,
      timestampMs: Math.round(1_000_000 + bench.nowMs),
    });
  });
});

describe('what a checkpoint holds', () => {
  it('everything for the first of an attempt, for savepoints, and after one that is not there', () => {
    const bench = new Bench({ tolerableFailures: 9 }, { retained: [6], nextId: 7 }).run();
    const isFull = () => bench.of('trigger').map(({ trigger }) => trigger.isFull);
    bench.complete(7);
    bench.wake().complete(8);
    bench.wake().decline(9, 0);
    bench.wake().complete(10);
    bench.request('savepoint');
    bench.complete(11);
    bench.wake().complete(12);
    bench.wake();
    expect(isFull()).toEqual([true, false, false, true, true, true, false]);
  });

  it('everything, four times, after changes that were nearly everything', () => {
    const bench = new Bench().run();
    bench.complete(1);
    bench.wake();
    bench.acknowledge(2, 0);
    bench.acknowledge(2, 1);
    bench.store(2, true);
    for (let id = 3; id <= 7; id++) bench.wake().complete(id);
    const isFull = bench.of('trigger').map(({ trigger }) => trigger.isFull);
    expect(isFull).toEqual([true, false, true, true, true, true, false]);
  });

  it('everything where checkpoints are not incremental', () => {
    const bench = new Bench({ isIncremental: false }).run();
    bench.complete(1);
    bench.wake();
    expect(bench.of('trigger')[1].trigger.isFull).toBe(true);
  });

  it('changes for somebody who follows them, whatever the settings are, until nobody does', () => {
    const bench = new Bench({ isIncremental: false }).run();
    bench.complete(1);
    bench.send({ kind: 'followed', isFollowed: true });
    for (let id = 2; id <= 4; id++) bench.wake().complete(id);
    bench.send({ kind: 'followed', isFollowed: false });
    for (let id = 5; id <= 6; id++) bench.wake().complete(id);
    const triggers = bench.of('trigger').map(({ trigger }) => trigger);
    // The first one builds on nothing, since what was before it is in a directory of its own.
    expect(triggers.map(({ isFull }) => isFull)).toEqual([true, true, false, false, true, true]);
    const isShared = triggers.map((trigger) => trigger.isShared);
    expect(isShared).toEqual([false, true, true, true, false, false]);
    const disposed = bench.of('dispose').map(({ checkpoint }) => checkpoint);
    expect(disposed).toEqual([1, 2, 3, 4, 5]);
  });

  it('no more than changes for somebody who follows them, however many those are', () => {
    const bench = new Bench().run();
    bench.complete(1);
    bench.send({ kind: 'followed', isFollowed: true });
    bench.wake();
    bench.acknowledge(2, 0);
    bench.acknowledge(2, 1);
    bench.store(2, true);
    bench.wake().complete(3);
    expect(bench.of('trigger').map(({ trigger }) => trigger.isFull)).toEqual([true, false, false]);
  });

  it('every slot, and subtasks that had finished before their barrier', () => {
    const bench = new Bench().run();
    bench.send({ kind: 'subtaskFinished', checkpoint: 0, snapshot: snapshot(7, [], true) });
    // This one took the barrier first, so its slot acknowledges for it.
    bench.send({ kind: 'subtaskFinished', checkpoint: 1, snapshot: snapshot(8, [], true) });
    bench.acknowledge(1, 0);
    expect(bench.of('store')).toEqual([]);
    bench.acknowledge(1, 1);
    const [{ checkpoint }] = bench.of('store');
    expect(checkpoint.slots.map(({ slot }) => slot)).toEqual([0, 1]);
    expect(checkpoint.finished.map(({ subtask }) => subtask)).toEqual([7]);
  });

  it('no more of a slot that has ended than that its subtasks finished', () => {
    const bench = new Bench().run();
    bench.acknowledge(1, 0);
    bench.send({ kind: 'subtaskFinished', checkpoint: 0, snapshot: snapshot(1, [], true) });
    bench.send({ kind: 'slotEnded', slot: 1 });
    const [{ checkpoint }] = bench.of('store');
    expect(checkpoint.finished.map(({ subtask }) => subtask)).toEqual([1]);
    bench.store(1);
    bench.wake();
    expect(bench.of('trigger')[1].slots).toEqual([0]);
  });
});

describe('output', () => {
  it('becomes visible with the completion, and nothing is stored before it is', () => {
    const bench = new Bench({ maxConcurrent: 2 }).run();
    bench.acknowledge(1, 0, commit('a'));
    bench.wake();
    bench.acknowledge(2, 0, commit('c'));
    bench.acknowledge(1, 1, commit('b'));
    expect(bench.of('commit')).toEqual([]);
    bench.store(1);
    bench.acknowledge(2, 1);
    expect(bench.of('commit')).toEqual([
      { kind: 'commit', checkpoint: 1, commits: commit('a', 'b') },
    ]);
    expect(bench.of('store')).toHaveLength(1);
    bench.send({ kind: 'committed', checkpoint: 1 });
    expect(bench.of('store')[1].checkpoint.commits).toEqual(commit('c'));
  });

  it('of checkpoints that failed goes with the next that completes, oldest first', () => {
    const bench = new Bench({ tolerableFailures: 9 }).run();
    bench.acknowledge(1, 0, commit('a1'));
    bench.decline(1, 1, commit('b1'));
    bench.wake();
    bench.acknowledge(2, 1, commit('b2'));
    bench.acknowledge(2, 0, commit('a2'));
    bench.send({ kind: 'storeFailed', checkpoint: 2, error: ERROR });
    bench.wake();
    bench.acknowledge(3, 1, commit('b3'));
    bench.acknowledge(3, 0, commit('a3'));
    bench.store(3);
    expect(bench.of('commit').map(({ commits }) => commits)).toEqual([
      commit('a1', 'b1', 'b2', 'a2', 'b3', 'a3'),
    ]);
  });

  it('of a slot that answers after the abortion is not lost', () => {
    const bench = new Bench({ tolerableFailures: 9 }).run();
    bench.decline(1, 0);
    bench.acknowledge(1, 1, commit('late'));
    bench.wake();
    bench.complete(2);
    expect(bench.of('commit').map(({ commits }) => commits)).toEqual([commit('late')]);
  });

  it('is in a savepoint, but becomes visible with the checkpoint after it', () => {
    const bench = new Bench({ intervalMs: null });
    bench.send({ kind: 'running' });
    bench.request('savepoint');
    bench.acknowledge(1, 0, commit('a'));
    bench.acknowledge(1, 1);
    expect(bench.of('store')[0].checkpoint.commits).toEqual(commit('a'));
    bench.store(1);
    expect(bench.of('commit')).toEqual([]);
    bench.request('checkpoint');
    bench.complete(2);
    expect(bench.of('commit').map(({ commits }) => commits)).toEqual([commit('a')]);
  });

  it('that comes for what has been put together is a defect, not a loss', () => {
    const bench = new Bench().run();
    bench.complete(1);
    expect(() =>
      bench.send({
        kind: 'subtaskFinished',
        checkpoint: 0,
        snapshot: snapshot(0, commit('lost'), true),
      }),
    ).toThrow('put together');
  });
});

describe('answers', () => {
  it('that come twice count once', () => {
    const bench = new Bench().run();
    bench.acknowledge(1, 0, commit('a'));
    bench.acknowledge(1, 0, commit('a'));
    bench.acknowledge(1, 1);
    expect(bench.of('store')[0].checkpoint.commits).toEqual(commit('a'));
    expect(bench.of('store')[0].checkpoint.slots).toHaveLength(2);
  });

  it('out of order, or for what was never begun, are defects', () => {
    const bench = new Bench({ maxConcurrent: 2 }).run();
    bench.wake();
    bench.acknowledge(2, 0);
    expect(() => bench.acknowledge(1, 0)).toThrow('Slot 0 answered checkpoint 1 after 2');
    expect(() => bench.acknowledge(3, 1)).toThrow('Slot 1 answered checkpoint 3');
  });

  it('to a later one overtake those before, which does not count as a failure', () => {
    const bench = new Bench({ maxConcurrent: 2 }).run();
    bench.wake();
    bench.acknowledge(2, 0);
    expect(bench.of('aborted').map(({ report }) => [report.id, report.reason])).toEqual([
      [1, 'subsumed'],
    ]);
    expect(bench.of('failJob')).toEqual([]);
    bench.acknowledge(2, 1);
    bench.store(2);
    expect(bench.of('completed').map(({ report }) => report.id)).toEqual([2]);
  });
});

describe('failures', () => {
  it.each([
    ['declined', (bench: Bench) => bench.decline(1, 0)],
    ['expired', (bench: Bench) => bench.at(bench.nowMs + 1000)],
    [
      'storeFailed',
      (bench: Bench) => bench.send({ kind: 'storeFailed', checkpoint: 1, error: ERROR }),
    ],
  ] as const)('%s: fails the job where none is tolerated', (reason, fail) => {
    const bench = new Bench().run();
    fail(bench);
    expect(bench.of('aborted')[0].report).toMatchObject({ id: 1, status: 'failed', reason });
    const [{ error }] = bench.of('failJob');
    expect(error.code).toBe('CHECKPOINT_FAILED');
    expect(error.message).toContain('tolerableFailedCheckpoints is 0');
    expect(error.cause).toBe(bench.of('aborted')[0].report.error);
    expect(bench.coordinator.wakeAtMs).toBe(Number.POSITIVE_INFINITY);
  });

  it('in a row are counted; a success forgives them', () => {
    const bench = new Bench({ tolerableFailures: 1 }).run();
    bench.decline(1, 0);
    bench.wake().complete(2);
    bench.wake().decline(3, 0);
    expect(bench.of('failJob')).toEqual([]);
    bench.wake().decline(4, 1);
    expect(bench.of('failJob')).toHaveLength(1);
  });

  it('of one checkpoint count once', () => {
    const bench = new Bench({ tolerableFailures: 1 }).run();
    bench.decline(1, 0);
    bench.decline(1, 1);
    expect(bench.of('aborted')).toHaveLength(1);
    expect(bench.of('failJob')).toEqual([]);
  });

  it('of a savepoint are told to who asked for it, and the job goes on', () => {
    const bench = new Bench({ intervalMs: null });
    bench.send({ kind: 'running' });
    const token = bench.request('savepoint');
    bench.decline(1, 0);
    expect(bench.of('answer')).toEqual([{ kind: 'answer', token, outcome: { error: ERROR } }]);
    expect(bench.of('failJob')).toEqual([]);
  });

  it('name the slots that were waited for', () => {
    const bench = new Bench().run();
    bench.acknowledge(1, 0);
    bench.at(bench.nowMs + 1000);
    const { error } = bench.of('aborted')[0].report;
    expect(error?.message).toContain('did not complete within 1000 ms; it waited for slot 1');
  });

  it('after which files go as soon as no slot writes them any more', () => {
    const bench = new Bench({ tolerableFailures: 9 }).run();
    bench.decline(1, 0);
    expect(bench.of('discard')).toEqual([]);
    bench.acknowledge(1, 1);
    expect(bench.of('discard')).toEqual([{ kind: 'discard', checkpoint: 1 }]);
  });
});

it('holds everything once after the chain of changes could not be read', () => {
  const bench = new Bench().run();
  for (const id of [1, 2, 3]) {
    bench.complete(id);
    bench.wake();
  }
  bench.complete(4);
  bench.send({ kind: 'chainBroken' });
  for (const id of [5, 6]) bench.wake().complete(id);
  const isFull = bench.of('trigger').map(({ trigger }) => trigger.isFull);
  expect(isFull).toEqual([true, false, false, false, true, false]);
});

it('waits longer and longer for room, which is no failure of the job, and forgets that with a checkpoint', () => {
  const bench = new Bench({ tolerableFailures: 0 }).run();
  bench.complete(1);
  const waits: number[] = [];
  for (let id = 2; id <= 5; id++) {
    bench.wake();
    bench.send({ kind: 'overQuota', checkpoint: id, directoryBytes: 9000, error: ERROR });
    waits.push(bench.coordinator.wakeAtMs - bench.nowMs);
  }
  expect(waits).toEqual([200, 400, 800, 1600]);
  expect(bench.of('failJob')).toEqual([]);
  const { report } = bench.of('aborted').at(-1)!;
  expect(report).toMatchObject({ reason: 'overQuota', error: ERROR, directoryBytes: 9000 });
  bench.wake().complete(6);
  expect(bench.of('completed').at(-1)?.report.directoryBytes).toBe(70);
  bench.wake();
  bench.send({ kind: 'overQuota', checkpoint: 7, directoryBytes: 9000, error: ERROR });
  expect(bench.coordinator.wakeAtMs - bench.nowMs).toBe(200);
});

describe('which checkpoints are kept', () => {
  it('the newest few, from before a restart too; savepoints are not touched', () => {
    const bench = new Bench({ numRetained: 2 }, { retained: [3, 4], nextId: 5 }).run();
    bench.complete(5);
    bench.request('savepoint');
    bench.complete(6);
    bench.wake().complete(7);
    expect(bench.of('dispose').map(({ checkpoint }) => checkpoint)).toEqual([3, 4]);
    expect(bench.coordinator.state.retained).toEqual([5, 7]);
  });

  it.each<[CheckpointRetention, EndReason, boolean]>([
    ['noExternalizedCheckpoints', 'failed', false],
    ['noExternalizedCheckpoints', 'canceled', false],
    ['noExternalizedCheckpoints', 'finished', false],
    ['deleteOnCancellation', 'failed', true],
    ['deleteOnCancellation', 'canceled', false],
    ['deleteOnCancellation', 'finished', false],
    ['retainOnCancellation', 'failed', true],
    ['retainOnCancellation', 'canceled', true],
    ['retainOnCancellation', 'finished', false],
  ])('after the job has ended: %s, %s: %s', (retention, reason, isKept) => {
    expect(outlives(retention, reason)).toBe(isKept);
  });
});

describe('the end of a job', () => {
  it('is safe with one final checkpoint, begun at once, which no slot needs to hear of', () => {
    const bench = new Bench().run();
    bench.complete(1);
    for (const slot of [0, 1]) {
      const last = snapshot(slot, commit(`last-${slot}`), true);
      bench.send({ kind: 'subtaskFinished', checkpoint: 1, snapshot: last });
      bench.send({ kind: 'slotEnded', slot });
    }
    expect(bench.of('trigger')[1].slots).toEqual([]);
    const { checkpoint } = bench.of('store')[1];
    expect(checkpoint.finished.map(({ subtask }) => subtask)).toEqual([0, 1]);
    expect(checkpoint.commits).toEqual(commit('last-0', 'last-1'));
    bench.store(2);
    expect(bench.of('finished')).toEqual([]);
    bench.send({ kind: 'committed', checkpoint: 2 });
    expect(bench.of('finished')).toHaveLength(1);
  });

  it('tries the final checkpoint again where failures are tolerated', () => {
    const bench = new Bench({ tolerableFailures: 1 }).run();
    bench.complete(1);
    bench.end();
    bench.send({ kind: 'storeFailed', checkpoint: 2, error: ERROR });
    expect(bench.of('finished')).toEqual([]);
    bench.wake();
    expect(bench.triggered).toEqual([1, 2, 3]);
    bench.store(3);
    expect(bench.of('finished')).toHaveLength(1);
  });

  it('needs no checkpoint where there are none, and output becomes visible all the same', () => {
    const bench = new Bench({ intervalMs: null });
    bench.send({ kind: 'running' });
    const last = snapshot(0, commit('all'), true);
    bench.send({ kind: 'subtaskFinished', checkpoint: 0, snapshot: last });
    bench.send({ kind: 'slotEnded', slot: 0 });
    bench.send({ kind: 'slotEnded', slot: 1 });
    expect(bench.triggered).toEqual([]);
    expect(bench.of('commit')).toEqual([
      { kind: 'commit', checkpoint: null, commits: commit('all') },
    ]);
    bench.send({ kind: 'committed', checkpoint: null });
    expect(bench.of('finished')).toHaveLength(1);
  });

  it('answers requests that came too late', () => {
    const bench = new Bench({ intervalMs: null });
    bench.send({ kind: 'running' });
    bench.end();
    bench.request('savepoint');
    expect(bench.of('answer')[0].outcome).toMatchObject({
      error: { message: 'No savepoint was taken: the job has come to its end.' },
    });
  });

  it('by a savepoint commits and needs no further checkpoint; nothing else is begun meanwhile', () => {
    const bench = new Bench().run();
    bench.complete(1);
    const token = bench.request('savepoint', 'drain');
    const other = bench.request('savepoint');
    bench.at(bench.nowMs + 500);
    expect(bench.triggered).toEqual([1, 2]);
    bench.acknowledge(2, 0, commit('last'));
    bench.acknowledge(2, 1);
    bench.store(2);
    expect(bench.of('commit')).toEqual([
      { kind: 'commit', checkpoint: 2, commits: commit('last') },
    ]);
    bench.send({ kind: 'committed', checkpoint: 2 });
    bench.at(bench.nowMs + 500);
    bench.end();
    expect(bench.triggered).toEqual([1, 2]);
    expect(bench.of('finished')).toHaveLength(1);
    expect(bench.of('answer').map((answer) => [answer.token, 'report' in answer.outcome])).toEqual([
      [token, true],
      [other, false],
    ]);
  });

  it('by a savepoint that fails is a failure of the job, which its barriers have stopped', () => {
    const bench = new Bench({ tolerableFailures: 9 }).run();
    bench.complete(1);
    bench.request('savepoint', 'suspend');
    bench.decline(2, 1);
    expect(bench.of('failJob')[0].error.message).toBe('Savepoint 2 was to end the job.');
  });

  it('ends what is under way, for which nothing counts and nothing more is listened to', () => {
    const bench = new Bench().run();
    const token = bench.request('savepoint');
    bench.send({ kind: 'shutdown' });
    expect(bench.of('aborted').map(({ report }) => report.reason)).toEqual([
      'shutdown',
      'shutdown',
    ]);
    expect(bench.of('answer').map((answer) => answer.token)).toEqual([token]);
    expect(bench.of('failJob')).toEqual([]);
    bench.acknowledge(1, 0);
    bench.send({ kind: 'slotEnded', slot: 0 });
    expect(bench.of('discard')).toEqual([]);
    bench.send({ kind: 'slotEnded', slot: 1 });
    expect(bench.of('discard').map(({ checkpoint }) => checkpoint)).toEqual([1, 2]);
    bench.request('savepoint');
    expect(bench.of('answer')).toHaveLength(2);
  });

  it('leaves one that is being stored to the store, and all to whoever decides how the job goes on', () => {
    const bench = new Bench().run();
    bench.acknowledge(1, 0, commit('a'));
    bench.acknowledge(1, 1);
    bench.send({ kind: 'shutdown' });
    expect(bench.of('aborted')).toEqual([]);
    bench.store(1);
    expect(bench.of('completed')).toHaveLength(1);
    // The next attempt does it, if there is one.
    expect(bench.of('commit')).toEqual([]);
    expect(bench.of('dispose')).toEqual([]);
  });
});

describe('the memory of a coordinator', () => {
  it('goes on in a structured copy as in the original', () => {
    const bench = new Bench({ maxConcurrent: 2 }).run();
    bench.acknowledge(1, 0, commit('a'));
    bench.request('savepoint');
    bench.acknowledge(1, 1);
    const copy = new CheckpointCoordinator(structuredClone(bench.coordinator.state));
    for (const event of [
      {
        kind: 'stored',
        checkpoint: 1,
        path: null,
        isHeavy: false,
        fullBytes: 25,
        directoryBytes: 70,
      },
      { kind: 'committed', checkpoint: 1 },
      { kind: 'slotDeclined', checkpoint: 2, slot: 0, error: ERROR, commits: commit('b') },
      { kind: 'shutdown' },
    ] as const) {
      expect(copy.handle(event, bench.nowMs)).toEqual(bench.send(event));
    }
  });
});

describe('what is told of checkpoints', () => {
  it('how long they took, how much they wrote, where they are', () => {
    const bench = new Bench().run();
    bench.nowMs += 7;
    bench.complete(1);
    expect(bench.of('completed')[0].report).toEqual({
      id: 1,
      kind: 'checkpoint',
      status: 'completed',
      reason: null,
      error: null,
      triggeredMs: bench.of('trigger')[0].trigger.timestampMs,
      durationMs: 7,
      bytes: 20,
      inFlightBytes: 0,
      fullBytes: 25,
      directoryBytes: 70,
      path: 'chk-1',
    });
  });

  it('counts that go on over attempts', () => {
    const first = new Bench({ tolerableFailures: 9 }).run();
    first.complete(1);
    first.wake().decline(2, 0);
    first.send({ kind: 'shutdown' });
    const restored = { id: 1, path: 'chk-1', restoredMs: 5 };
    const { statistics } = first.coordinator.state;
    const second = new Bench({}, { nextId: 3, statistics, restored }).run();
    expect(second.coordinator.state.statistics).toMatchObject({
      counts: { total: 3, inProgress: 1, completed: 1, failed: 1, restored: 1 },
      latest: { completed: { id: 1 }, failed: { id: 2 }, savepoint: null, restored },
    });
    expect(second.coordinator.state.statistics.history.map(({ id }) => id)).toEqual([3, 2, 1]);
  });

  it('the last ten that are over, beside those under way', () => {
    const bench = new Bench().run();
    for (let id = 1; id <= 15; id++) {
      bench.complete(id);
      bench.wake();
    }
    const { history, latest } = bench.coordinator.state.statistics;
    expect(history.map(({ id }) => id)).toEqual([16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6]);
    expect(latest.completed?.id).toBe(15);
  });
});

describe('a region that is restarted by itself', () => {
  const REGION = { kind: 'regionEnded', vertices: [0], sinks: ['own'] } as const;
  const finished = (checkpoint: number, vertex: number, uid: string, part: string) =>
    ({
      kind: 'subtaskFinished',
      checkpoint,
      snapshot: { ...snapshot(0, [{ uid, committables: [part] }]), vertex, isFinished: true },
    }) as const;

  it('aborts what is under way, at no cost of failures, and nothing is begun until it runs', () => {
    const bench = new Bench().run();
    bench.acknowledge(1, 0);
    const actions = bench.send({ kind: 'regionFailed' });
    expect(actions).toMatchObject([
      { kind: 'aborted', report: { id: 1, reason: 'tasksNotRunning' } },
    ]);
    // What a slot says of it afterwards fails nothing either.
    bench.decline(1, 1);
    expect(bench.send(REGION).concat(bench.at(10_000))).toEqual([]);
    expect(bench.coordinator.wakeAtMs).toBe(Infinity);
    bench.run();
    expect(bench.triggered).toEqual([1, 2]);
  });

  it('has the next checkpoint hold everything', () => {
    const bench = new Bench().run();
    bench.complete(1);
    bench.send({ kind: 'regionFailed' });
    bench.send(REGION);
    bench.run();
    const trigger = bench.actions.findLast((action) => action.kind === 'trigger');
    expect(trigger).toMatchObject({ trigger: { id: 2, isFull: true } });
    bench.complete(2);
    bench.wake();
    const next = bench.actions.findLast((action) => action.kind === 'trigger');
    expect(next).toMatchObject({ trigger: { id: 3, isFull: false } });
  });

  it('takes back what it has prepared and which subtasks have finished; others keep theirs', () => {
    const bench = new Bench().run();
    bench.complete(1);
    bench.send(finished(1, 0, 'own', 'stale'));
    bench.send(finished(1, 1, 'other', 'kept'));
    bench.send({ kind: 'regionFailed' });
    bench.send(REGION);
    bench.run();
    bench.acknowledge(2, 0);
    bench.acknowledge(2, 1);
    expect(bench.actions.findLast((action) => action.kind === 'store')).toMatchObject({
      checkpoint: {
        finished: [{ vertex: 1 }],
        commits: [{ uid: 'other', committables: ['kept'] }],
      },
    });
  });

  it('fails the job where it was being stopped, since its sources cannot take that back', () => {
    const bench = new Bench().run();
    bench.complete(1);
    bench.request('savepoint', 'suspend');
    expect(bench.send({ kind: 'regionFailed' })).toContainEqual(
      expect.objectContaining({ kind: 'failJob' }),
    );
  });
});
