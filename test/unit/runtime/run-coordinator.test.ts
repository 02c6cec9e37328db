import { describe, expect, it } from 'vitest';
import { MillraceError, toWire } from '../../../src/base/errors.js';
import { SeededRandom } from '../../../src/base/random.js';
import { NO_STATISTICS } from '../../../src/checkpoint/checkpoint-statistics.js';
import type { CheckpointStore } from '../../../src/checkpoint/contract.js';
import { MemoryStore } from '../../../src/checkpoint/memory-store.js';
import {
  CheckpointKeeper,
  type CheckpointingStart,
} from '../../../src/runtime/checkpoint-keeper.js';
import type { CoordinatorAction, RunEvent } from '../../../src/runtime/coordinator.js';
import { RunCoordinator } from '../../../src/runtime/run-coordinator.js';

const START: CheckpointingStart = {
  policy: {
    intervalMs: 1000,
    timeoutMs: 10_000,
    minPauseMs: 0,
    maxConcurrent: 1,
    tolerableFailures: 0,
    numRetained: 1,
    isIncremental: false,
    overtakes: false,
  },
  nextId: 1,
  restored: null,
  statistics: NO_STATISTICS,
  frame: { jobId: 'a', jobName: 'a', params: {}, operators: [], sources: [], sinks: [] },
  place: null,
  savepointDirectory: null,
  seed: 1,
};

/** A run of two slots, and what it demanded. */
function runOf(store: CheckpointStore = new MemoryStore()) {
  const actions: CoordinatorAction[] = [];
  const clock = { epochMs: () => 0, monotonicMs: () => 0 };
  const events: RunEvent[] = [];
  const keeper = new CheckpointKeeper(
    START,
    [0, 1],
    { store, merging: null, clock, random: new SeededRandom(1), wakeAfter: () => {} },
    { trigger() {}, completed() {}, tell() {}, handle: (event) => events.push(event) },
  );
  const parts = {
    slots: [0, 1],
    cancellationTimeoutMs: 1000,
    regions: [],
    perform: (action: CoordinatorAction) => actions.push(action),
  };
  const coordinator = new RunCoordinator(parts, keeper);
  return {
    actions,
    keeper,
    send(event: RunEvent): void {
      coordinator.handle(event);
      for (const next of events.splice(0)) coordinator.handle(next);
    },
  };
}

describe('the coordinator of a run that takes checkpoints', () => {
  it('comes to its end also when one slot had nothing to do before the other had started', () => {
    const { actions, send } = runOf();
    send({ kind: 'slotReady', slot: 0 });
    send({ kind: 'slotEnded', slot: 0 });
    send({ kind: 'slotReady', slot: 1 });
    send({ kind: 'slotEnded', slot: 1 });
    expect(actions.at(-1)).toMatchObject({ kind: 'complete', state: 'FINISHED' });
  });

  it.each(['slotEnded', 'slotFailed', 'slotExited'] as const)(
    'throws away what an aborted checkpoint has written once no slot is left that may write: %s',
    (kind) => {
      const discarded: number[] = [];
      class Watched extends MemoryStore {
        override discard(id: number): void {
          discarded.push(id);
          super.discard(id);
        }
      }
      const { send } = runOf(new Watched());
      for (const slot of [0, 1]) send({ kind: 'slotReady', slot });
      const request = { token: 1, kind: 'checkpoint', stop: 'none', target: null } as const;
      send({ kind: 'request', request });
      const error = toWire(new MillraceError('SOURCE_FAILED', 'As planned.'));
      send({ kind: 'slotFailed', slot: 0, error });
      expect(discarded).toEqual([]);
      send(kind === 'slotEnded' ? { kind, slot: 1 } : { kind, slot: 1, error });
      expect(discarded).toEqual([1]);
    },
  );

  it('is not kept from its end by a store that cannot be closed', () => {
    class Stuck extends MemoryStore {
      override close(): void {
        throw new MillraceError('FILE_UNWRITABLE', 'The disk is gone.');
      }
    }
    const { keeper } = runOf(new Stuck());
    expect(() => keeper.close()).not.toThrow();
  });
});
