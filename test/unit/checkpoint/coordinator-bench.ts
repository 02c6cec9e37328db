/** A checkpoint coordinator with what a test says to it and what it has answered. */
import { MillraceError, toWire } from '../../../src/base/errors.js';
import { SeededRandom } from '../../../src/base/random.js';
import { CheckpointCoordinator } from '../../../src/checkpoint/checkpoint-coordinator.js';
import {
  type CheckpointAction,
  type CheckpointEvent,
  type CheckpointPolicy,
  type CheckpointRequest,
} from '../../../src/checkpoint/checkpoint-protocol.js';
import {
  beginCheckpoints,
  type CheckpointStart,
} from '../../../src/checkpoint/checkpoint-state.js';
import { NO_STATISTICS } from '../../../src/checkpoint/checkpoint-statistics.js';
import type { SinkCommit, SubtaskSnapshot } from '../../../src/checkpoint/contract.js';

export const ERROR = toWire(new MillraceError('FILE_UNWRITABLE', 'The disk is full.'));
const TIMING = {
  startDelayMs: 0,
  alignmentMs: 0,
  syncMs: 0,
  asyncMs: 0,
  bytes: 10,
  inFlightBytes: 0,
};
export const POLICY: CheckpointPolicy = {
  intervalMs: 100,
  timeoutMs: 1000,
  minPauseMs: 0,
  maxConcurrent: 1,
  tolerableFailures: 0,
  numRetained: 1,
  isIncremental: true,
  overtakes: false,
};

/** A coordinator of two slots with what a test says to it. */
export class Bench {
  readonly coordinator: CheckpointCoordinator;
  nowMs = 0;
  /** Everything it answered. */
  readonly actions: CheckpointAction[] = [];
  #token = 0;

  constructor(policy: Partial<CheckpointPolicy> = {}, start: Partial<CheckpointStart> = {}) {
    const state = beginCheckpoints(
      {
        policy: { ...POLICY, ...policy },
        slots: [0, 1],
        nextId: 1,
        restored: null,
        retained: [],
        statistics: NO_STATISTICS,
        epochMs: 1_000_000,
        ...start,
      },
      new SeededRandom(1),
    );
    this.coordinator = new CheckpointCoordinator(state);
  }

  send(event: CheckpointEvent): readonly CheckpointAction[] {
    const actions = this.coordinator.handle(event, this.nowMs);
    this.actions.push(...actions);
    return actions;
  }

  /** Runs, to the first periodic checkpoint. */
  run(): this {
    this.send({ kind: 'running' });
    return this.wake();
  }

  /** To the next time at which something happens. */
  wake(): this {
    this.nowMs = this.coordinator.wakeAtMs;
    this.send({ kind: 'tick' });
    return this;
  }

  at(nowMs: number): readonly CheckpointAction[] {
    this.nowMs = nowMs;
    return this.send({ kind: 'tick' });
  }

  request(kind: 'checkpoint' | 'savepoint', stop: CheckpointRequest['stop'] = 'none'): number {
    const token = ++this.#token;
    const target = kind === 'savepoint' ? 'savepoints' : null;
    this.send({ kind: 'request', request: { token, kind, stop, target } });
    return token;
  }

  acknowledge(checkpoint: number, slot: number, commits: readonly SinkCommit[] = []): void {
    const subtasks = [snapshot(slot, commits)];
    const answer = { checkpoint, slot, subtasks, file: null };
    this.send({ kind: 'slotAcknowledged', snapshot: answer });
  }

  decline(checkpoint: number, slot: number, commits: readonly SinkCommit[] = []): void {
    this.send({ kind: 'slotDeclined', checkpoint, slot, error: ERROR, commits });
  }

  /** Both slots acknowledge, it is stored, and output committed. */
  complete(checkpoint: number): void {
    this.acknowledge(checkpoint, 0);
    this.acknowledge(checkpoint, 1);
    this.store(checkpoint);
  }

  store(checkpoint: number, isHeavy = false): void {
    this.send({
      kind: 'stored',
      checkpoint,
      path: `chk-${checkpoint}`,
      isHeavy,
      fullBytes: 25,
      directoryBytes: 70,
    });
  }

  end(): void {
    for (const slot of [0, 1]) {
      this.send({ kind: 'subtaskFinished', checkpoint: 0, snapshot: snapshot(slot, [], true) });
      this.send({ kind: 'slotEnded', slot });
    }
  }

  of<K extends CheckpointAction['kind']>(kind: K): readonly (CheckpointAction & { kind: K })[] {
    return this.actions.filter(
      (action): action is CheckpointAction & { kind: K } => action.kind === kind,
    );
  }

  /** Ids of what was triggered. */
  get triggered(): readonly number[] {
    return this.of('trigger').map(({ trigger }) => trigger.id);
  }
}

export function snapshot(
  subtask: number,
  commits: readonly SinkCommit[],
  isFinished = false,
): SubtaskSnapshot {
  return { vertex: 0, subtask, isFinished, pieces: [], source: null, commits, timing: TIMING };
}

export function commit(...committables: readonly string[]): readonly SinkCommit[] {
  return [{ uid: 'sink', committables }];
}
