import { beforeEach, describe, expect, it } from 'vitest';
import { fromWire, MillraceError } from '../../../src/base/errors.js';
import type {
  CheckpointTrigger,
  SinkCommit,
  SlotSnapshot,
} from '../../../src/checkpoint/contract.js';
import type { SnapshotSink, TaskSnapshot } from '../../../src/operator/contract.js';
import { type PieceWriter, SlotSnapshots } from '../../../src/runtime/slot-snapshots.js';
import type { FrozenSubtask } from '../../../src/runtime/subtask-barrier.js';

const clock = { epochMs: () => 0, monotonicMs: () => 0 };
const NO_SINK: SnapshotSink = { put: () => {} };

/** State of so many pieces, one a step. */
class Pieces implements TaskSnapshot {
  confirmed = 0;
  aborted = 0;
  #left: number;

  constructor(left: number) {
    this.#left = left;
  }

  step(sink: SnapshotSink = NO_SINK): boolean {
    if (this.#left > 0) sink.put('op', 'sums', this.#left--, Uint8Array.of(1), false);
    return this.#left === 0;
  }

  confirm(): void {
    this.confirmed++;
  }

  abort(): void {
    this.aborted++;
  }
}

function triggerOf(id: number): CheckpointTrigger {
  return { id, timestampMs: 0, kind: 'checkpoint', stop: 'none', isFull: true, isShared: false };
}

function frozenOf(
  subtask: number,
  id: number,
  { state = new Pieces(1), commits = [] as readonly SinkCommit[] } = {},
): FrozenSubtask {
  const times = { startDelayMs: 0, alignmentMs: 0, syncMs: 0 };
  const trigger = triggerOf(id);
  return { vertex: 0, subtask, trigger, state, source: null, commits, inFlight: [], ...times };
}

function commitsOf(...parts: string[]): readonly SinkCommit[] {
  return parts.map((part) => ({ uid: 'sink', committables: [part] }));
}

describe('the snapshots of a slot', () => {
  let acknowledged: SlotSnapshot[];
  let declined: { id: number; code: string; commits: readonly SinkCommit[] }[];
  let failWrites: boolean;
  let snapshots: SlotSnapshots;

  beforeEach(() => {
    acknowledged = [];
    declined = [];
    failWrites = false;
    const writer: PieceWriter = {
      write: (_piece, bytes) => {
        if (failWrites) throw new MillraceError('FILE_UNWRITABLE', 'The disk is full.');
        return { bytes };
      },
      seal: () => null,
      abort: () => {},
    };
    snapshots = new SlotSnapshots({
      slot: 3,
      clock,
      openWriter: () => writer,
      reports: {
        acknowledged: (snapshot) => acknowledged.push(snapshot),
        declined: (id, error, commits) => {
          const thrown = fromWire(error);
          declined.push({ id, code: MillraceError.is(thrown) ? thrown.code : '', commits });
        },
      },
    });
    setLive([0, 1]);
  });

  function setLive(live: readonly number[]): void {
    snapshots.live = live.map((index) => ({ parts: { vertexId: 0, index } }));
  }

  function finishAll(): void {
    for (let left = 100; snapshots.isBusy && left > 0; left--) snapshots.step();
    expect(snapshots.isBusy).toBe(false);
  }

  it('answers once, when every subtask has frozen its state and all of it is written', () => {
    snapshots.begin(1);
    snapshots.add(frozenOf(0, 1, { state: new Pieces(3) }));
    finishAll();
    expect(acknowledged).toEqual([]);
    expect(snapshots.isWriting(0, 0)).toBe(false);
    snapshots.add(frozenOf(1, 1, { state: new Pieces(2) }));
    expect(snapshots.isWriting(0, 1)).toBe(true);
    finishAll();
    expect(acknowledged.map(({ checkpoint, slot }) => [checkpoint, slot])).toEqual([[1, 3]]);
    expect(acknowledged[0].subtasks.map(({ pieces }) => pieces.length)).toEqual([3, 2]);
  });

  it('needs no answer of a subtask that finishes without the barrier', () => {
    snapshots.begin(1);
    snapshots.add(frozenOf(0, 1));
    setLive([0]);
    snapshots.finished(0, 1, []);
    finishAll();
    expect(acknowledged.map(({ subtasks }) => subtasks.map(({ subtask }) => subtask))).toEqual([
      [0],
    ]);
  });

  it('answers a checkpoint that holds none of its subtasks, because all have finished', () => {
    setLive([]);
    snapshots.begin(4);
    finishAll();
    expect(acknowledged.map(({ checkpoint, subtasks }) => [checkpoint, subtasks])).toEqual([
      [4, []],
    ]);
  });

  it('declines what cannot be written, with what sinks had prepared, and takes the next one', () => {
    failWrites = true;
    snapshots.add(frozenOf(0, 1, { commits: commitsOf('a') }));
    snapshots.step();
    expect(declined).toEqual([{ id: 1, code: 'FILE_UNWRITABLE', commits: commitsOf('a') }]);
    failWrites = false;
    // This one reaches its barrier after the slot has given the checkpoint up.
    const late = new Pieces(1);
    snapshots.add(frozenOf(1, 1, { state: late, commits: commitsOf('b') }));
    expect(late.aborted).toBe(1);
    snapshots.add(frozenOf(0, 2, { commits: commitsOf('c') }));
    snapshots.add(frozenOf(1, 2, { commits: commitsOf('d') }));
    finishAll();
    expect(acknowledged.map(({ checkpoint }) => checkpoint)).toEqual([2]);
    expect(acknowledged[0].subtasks.flatMap(({ commits }) => commits)).toEqual(
      commitsOf('c', 'b', 'd'),
    );
  });

  it('gives what was carried over to the end of a subtask that reaches no further barrier', () => {
    failWrites = true;
    snapshots.add(frozenOf(0, 1));
    snapshots.step();
    snapshots.add(frozenOf(1, 1, { commits: commitsOf('b') }));
    expect(snapshots.finished(0, 1, commitsOf('e'))).toEqual(commitsOf('b', 'e'));
    expect(snapshots.finished(0, 1, commitsOf('e'))).toEqual(commitsOf('e'));
  });

  it('answers in the order of ids, and declines one that a later one overtook', () => {
    snapshots.begin(1);
    snapshots.add(frozenOf(0, 1, { commits: commitsOf('a') }));
    finishAll();
    snapshots.add(frozenOf(0, 2));
    snapshots.add(frozenOf(1, 2));
    finishAll();
    expect(declined).toEqual([{ id: 1, code: 'CHECKPOINT_FAILED', commits: commitsOf('a') }]);
    expect(acknowledged.map(({ checkpoint }) => checkpoint)).toEqual([2]);
  });

  it('lets one that is only still being written come before a smaller one after it', () => {
    for (const id of [1, 2]) {
      for (const subtask of [0, 1]) {
        snapshots.add(frozenOf(subtask, id, { state: new Pieces(id === 1 ? 5 : 1) }));
      }
    }
    finishAll();
    expect(acknowledged.map(({ checkpoint }) => checkpoint)).toEqual([1, 2]);
    expect(declined).toEqual([]);
  });

  it('confirms the state of a checkpoint that has completed, and of no other', () => {
    setLive([0]);
    const states = [1, 2, 3].map((id) => {
      const state = new Pieces(1);
      snapshots.add(frozenOf(0, id, { state }));
      finishAll();
      return state;
    });
    snapshots.completed(2);
    snapshots.completed(2);
    expect(states.map(({ confirmed }) => confirmed)).toEqual([0, 1, 0]);
    snapshots.completed(3);
    expect(states.map(({ confirmed }) => confirmed)).toEqual([0, 1, 1]);
  });

  it('gives up what is under way for closed subtasks, without what their sinks have prepared', () => {
    const [own, other] = [new Pieces(1), new Pieces(1)];
    snapshots.begin(1);
    snapshots.add({ ...frozenOf(0, 1, { state: own, commits: commitsOf('own') }), vertex: 7 });
    snapshots.add(frozenOf(1, 1, { state: other, commits: commitsOf('other') }));
    snapshots.forget((vertex) => vertex === 7);
    expect(declined).toEqual([{ id: 1, code: 'CHECKPOINT_FAILED', commits: commitsOf('other') }]);
    expect([own.aborted, other.aborted]).toEqual([1, 1]);
    // What is carried over from a checkpoint that came too late is forgotten as well.
    snapshots.add({ ...frozenOf(0, 1, { commits: commitsOf('late') }), vertex: 7 });
    snapshots.add(frozenOf(1, 1, { commits: commitsOf('late other') }));
    snapshots.forget((vertex) => vertex === 7);
    expect(snapshots.finished(7, 0, commitsOf('new'))).toEqual(commitsOf('new'));
    expect(snapshots.finished(0, 1, [])).toEqual(commitsOf('late other'));
  });

  it('confirms nothing to closed subtasks', () => {
    const [own, other] = [new Pieces(1), new Pieces(1)];
    snapshots.begin(1);
    setLive([]);
    snapshots.add({ ...frozenOf(0, 1, { state: own }), vertex: 7 });
    snapshots.add(frozenOf(1, 1, { state: other }));
    snapshots.step();
    snapshots.step();
    snapshots.forget((vertex) => vertex === 7);
    snapshots.completed(1);
    expect([own.confirmed, other.confirmed]).toEqual([0, 1]);
  });
});
