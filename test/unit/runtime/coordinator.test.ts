import { describe, expect, it } from 'vitest';
import { MillraceError, toWire } from '../../../src/base/errors.js';
import type { SinkCommit } from '../../../src/checkpoint/contract.js';
import {
  Coordinator,
  type CoordinatorAction,
  type CoordinatorEvent,
} from '../../../src/runtime/coordinator.js';
import { COMMAND_CANCEL, COMMAND_DRAIN } from '../../../src/runtime/control-layout.js';

const failure = (message: string) => toWire(new MillraceError('USER_FUNCTION_FAILED', message));

function drive(
  events: readonly CoordinatorEvent[],
  { slots = [0, 1], takesCheckpoints = false } = {},
): readonly CoordinatorAction[] {
  const coordinator = new Coordinator({
    slots,
    cancellationTimeoutMs: 1000,
    regions: [],
    takesCheckpoints,
  });
  return events.flatMap((event) => coordinator.handle(event));
}

function finished(slot: number, commits: readonly SinkCommit[]): CoordinatorEvent {
  const snapshot = {
    vertex: 0,
    subtask: 0,
    source: null,
    commits,
  };
  return { kind: 'subtaskFinished', slot, checkpoint: 0, snapshot };
}

const completions = (actions: readonly CoordinatorAction[]) =>
  actions.filter((action) => action.kind === 'complete');

describe('Coordinator', () => {
  it('runs when all slots are ready and finishes with the commits when all have ended', () => {
    const commit = { uid: 'sink', committables: ['part-0'] };
    const actions = drive([
      { kind: 'slotReady', slot: 0 },
      { kind: 'slotReady', slot: 1 },
      finished(1, [commit]),
      { kind: 'slotEnded', slot: 1 },
      { kind: 'slotEnded', slot: 0 },
    ]);
    expect(actions).toEqual([
      { kind: 'state', state: 'RUNNING' },
      { kind: 'state', state: 'FINISHED' },
      { kind: 'complete', state: 'FINISHED', error: null, commits: [commit] },
    ]);
  });

  it('keeps the first failure as the cause and commits nothing', () => {
    const actions = drive([
      { kind: 'slotFailed', slot: 0, error: failure('first') },
      { kind: 'slotFailed', slot: 1, error: failure('a consequence') },
    ]);
    expect(actions).toContainEqual({ kind: 'command', slot: 1, command: COMMAND_CANCEL });
    expect(completions(actions)).toMatchObject([
      { state: 'FAILED', error: { message: 'first' }, commits: [] },
    ]);
  });

  it('terminates what does not react to cancellation within the timeout', () => {
    const actions = drive([
      { kind: 'cancel', reason: null },
      { kind: 'slotEnded', slot: 0 },
      { kind: 'tick', nowMs: 5000 },
      { kind: 'tick', nowMs: 5999 },
      { kind: 'tick', nowMs: 6000 },
      { kind: 'slotExited', slot: 1, error: null },
    ]);
    expect(actions.filter((action) => action.kind === 'terminate')).toEqual([
      { kind: 'terminate', slot: 1 },
    ]);
    expect(completions(actions)).toMatchObject([{ state: 'CANCELED' }]);
  });

  it('fails with TASK_EXITED when a thread ends by itself', () => {
    const actions = drive([
      { kind: 'slotExited', slot: 0, error: null },
      { kind: 'slotEnded', slot: 1 },
    ]);
    expect(completions(actions)).toMatchObject([
      { state: 'FAILED', error: { code: 'TASK_EXITED' } },
    ]);
  });

  it('terminates a stalled slot at once', () => {
    const actions = drive([{ kind: 'slotStalled', slot: 0, error: failure('stalled') }]);
    expect(actions).toContainEqual({ kind: 'terminate', slot: 0 });
  });

  it('passes a drain on to every slot and still finishes', () => {
    const actions = drive([
      { kind: 'slotReady', slot: 0 },
      { kind: 'slotReady', slot: 1 },
      { kind: 'stop', drain: true },
      { kind: 'slotEnded', slot: 0 },
      { kind: 'slotEnded', slot: 1 },
    ]);
    expect(actions).toContainEqual({ kind: 'command', slot: 0, command: COMMAND_DRAIN });
    expect(completions(actions)).toMatchObject([{ state: 'FINISHED' }]);
  });

  it('completes exactly once, whatever the order of up to six events of two slots', () => {
    const alphabet: readonly CoordinatorEvent[] = [
      { kind: 'slotReady', slot: 0 },
      { kind: 'slotEnded', slot: 0 },
      { kind: 'slotEnded', slot: 1 },
      { kind: 'slotFailed', slot: 1, error: failure('x') },
      { kind: 'slotExited', slot: 0, error: null },
      { kind: 'cancel', reason: null },
      { kind: 'stop', drain: false },
      { kind: 'tick', nowMs: 10_000 },
    ];
    let explored = 0;
    const explore = (prefix: readonly CoordinatorEvent[]): void => {
      explored++;
      const actions = drive(prefix);
      const ends = completions(actions);
      const gone = new Set(
        prefix.flatMap((event) =>
          ['slotEnded', 'slotFailed', 'slotExited'].includes(event.kind) && 'slot' in event
            ? [event.slot]
            : [],
        ),
      );
      expect(ends.length).toBe(gone.size === 2 ? 1 : 0);
      if (ends.length === 1) {
        expect(actions.indexOf(ends[0] as CoordinatorAction)).toBe(actions.length - 1);
      }
      if (prefix.length < 5) for (const event of alphabet) explore([...prefix, event]);
    };
    explore([]);
    expect(explored).toBeGreaterThan(30_000);
  });

  it('completes with its output or once that is not to be, when both slots are gone', () => {
    const alphabet: readonly CoordinatorEvent[] = [
      { kind: 'slotEnded', slot: 0 },
      { kind: 'slotEnded', slot: 1 },
      { kind: 'slotFailed', slot: 1, error: failure('x') },
      { kind: 'outputVisible' },
      { kind: 'failed', error: failure('y') },
      { kind: 'cancel', reason: null },
      { kind: 'tick', nowMs: 10_000 },
    ];
    const ready = [0, 1].map((slot): CoordinatorEvent => ({ kind: 'slotReady', slot }));
    const explore = (prefix: readonly CoordinatorEvent[]): void => {
      const gone = new Set<number>();
      let [isEnding, isVisible] = [false, false];
      for (const event of prefix) {
        isEnding ||= ['slotFailed', 'failed', 'cancel'].includes(event.kind);
        isVisible ||= event.kind === 'outputVisible' && gone.size === 2;
        if (event.kind === 'slotEnded' || event.kind === 'slotFailed') gone.add(event.slot);
      }
      const ends = completions(drive([...ready, ...prefix], { takesCheckpoints: true }));
      const order = prefix.map(({ kind }) => kind).join(', ');
      expect(ends.length, order).toBe(gone.size === 2 && (isEnding || isVisible) ? 1 : 0);
      if (prefix.length === 6) return;
      for (const event of alphabet) {
        // A slot is gone once.
        const isGone = 'slot' in event && gone.has(event.slot);
        if (!isGone) explore([...prefix, event]);
      }
    };
    explore([]);
  });
});
