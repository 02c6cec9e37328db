import { describe, expect, it } from 'vitest';
import { MillraceError, toWire } from '../../../src/base/errors.js';
import { COMMAND_CANCEL, COMMAND_STOP } from '../../../src/runtime/control-layout.js';
import {
  Coordinator,
  type CoordinatorAction,
  type CoordinatorEvent,
} from '../../../src/runtime/coordinator.js';
import { runRegions } from '../../../src/runtime/run-regions.js';
import { planOf, sink, source } from '../graph/graph-fixtures.js';

const ERROR = toWire(new MillraceError('USER_FUNCTION_FAILED', 'It threw.'));
const REGIONS = [
  { slots: [0, 1], vertices: [0, 1], sinks: ['a'] },
  { slots: [0], vertices: [2], sinks: ['b'] },
];

/** A run of two slots that runs, in which these events happen; what they lead to, and the coordinator. */
function runWith(events: readonly CoordinatorEvent[]) {
  const coordinator = new Coordinator({
    slots: [0, 1],
    cancellationTimeoutMs: 1000,
    regions: REGIONS,
    takesCheckpoints: false,
  });
  for (const slot of [0, 1]) coordinator.handle({ kind: 'slotReady', slot });
  const actions: CoordinatorAction[] = events.flatMap((event) => [...coordinator.handle(event)]);
  return { actions, coordinator };
}

const failed = (slot: number, round = 0, region = 0): CoordinatorEvent => {
  return { kind: 'regionFailed', slot, region, round, error: ERROR };
};
const ended = (slot: number, round = 0, region = 0): CoordinatorEvent => {
  return { kind: 'regionEnded', slot, region, round };
};
const ready = (slot: number, round = 1, region = 0): CoordinatorEvent => {
  return { kind: 'regionReady', slot, region, round };
};
const kinds = (actions: readonly CoordinatorAction[]): string[] =>
  actions.map((action) => (action.kind === 'state' ? action.state : action.kind));

describe('the regions of a run', () => {
  it('are none where everything is connected', () => {
    const one = planOf((flow) => {
      flow
        .from(source())
        .rebalance()
        .map((row) => row)
        .to(sink());
    });
    expect(runRegions(one)).toEqual([]);
    const two = planOf((flow) => {
      flow.from(source(), { uid: 'x' }).to(sink(), { uid: 'a' });
      flow.from(source(), { uid: 'y', parallelism: 1 }).to(sink(), { uid: 'b' });
    });
    expect(runRegions(two)).toEqual([
      { slots: [0, 1, 2, 3], vertices: [0], sinks: ['a'] },
      { slots: [0], vertices: [1], sinks: ['b'] },
    ]);
  });

  it('end in every slot, are down, and run again when every slot has them', () => {
    const { actions } = runWith([failed(1), ended(1), ended(0), ready(0), ready(1)]);
    expect(actions).toEqual([
      { kind: 'state', state: 'RESTARTING' },
      { kind: 'endRegion', region: 0, round: 0 },
      { kind: 'regionDown', region: 0, round: 1, error: ERROR, vertices: [0, 1], sinks: ['a'] },
      { kind: 'state', state: 'RUNNING' },
    ]);
  });

  it('fail once however many of their subtasks do', () => {
    const { actions } = runWith([failed(1), failed(0), ended(0), ended(1), ended(1)]);
    expect(kinds(actions)).toEqual(['RESTARTING', 'endRegion', 'regionDown']);
  });

  it('that fail while they are built end and begin anew, and what came late counts for nothing', () => {
    const { actions } = runWith([
      ...[failed(1), ended(1), ended(0)],
      ...[failed(0, 1), ready(1), ended(1), ended(0, 1), ended(1, 1)],
      ...[ready(0, 1), ready(0, 2), ready(1, 2)],
    ]);
    expect(kinds(actions)).toEqual([
      ...['RESTARTING', 'endRegion', 'regionDown', 'endRegion', 'regionDown', 'RUNNING'],
    ]);
  });

  it('may be down at the same time: the job runs when all are up', () => {
    const { actions } = runWith([
      ...[failed(0), failed(0, 0, 1), ended(0, 0, 1), ready(0, 1, 1)],
      ...[ended(0), ended(1), ready(0), ready(1)],
    ]);
    expect(kinds(actions)).toEqual([
      ...['RESTARTING', 'endRegion', 'endRegion', 'regionDown', 'regionDown', 'RUNNING'],
    ]);
  });

  it('have nothing committed that they prepared before they failed', () => {
    const finished = (vertex: number, uid: string, part: string): CoordinatorEvent => {
      const commits = [{ uid, committables: [part] }];
      const snapshot = { vertex, subtask: 0, source: null, commits };
      return { kind: 'subtaskFinished', slot: 0, checkpoint: 0, snapshot };
    };
    const { actions } = runWith([
      ...[finished(1, 'a', 'stale'), finished(2, 'b', 'kept')],
      ...[failed(1), ended(1), ended(0), ready(0), ready(1), finished(1, 'a', 'new')],
      ...([0, 1] as const).map((slot) => ({ kind: 'slotEnded', slot }) as const),
    ]);
    const commits = [
      { uid: 'b', committables: ['kept'] },
      { uid: 'a', committables: ['new'] },
    ];
    expect(actions.at(-1)).toMatchObject({ kind: 'complete', state: 'FINISHED', commits });
  });

  it('fail the run where a slot of theirs has ended, before or meanwhile', () => {
    const before = runWith([{ kind: 'slotEnded', slot: 1 }, failed(0)]);
    expect(kinds(before.actions)).toEqual(['FAILING', 'command']);
    const meanwhile = runWith([failed(0), ended(0), { kind: 'slotEnded', slot: 1 }]);
    expect(kinds(meanwhile.actions)).toEqual(['RESTARTING', 'endRegion', 'FAILING', 'command']);
    // A slot that has nothing of it may end.
    const other = runWith([failed(0, 0, 1), { kind: 'slotEnded', slot: 1 }, ended(0, 0, 1)]);
    expect(kinds(other.actions)).toEqual(['RESTARTING', 'endRegion', 'regionDown']);
  });

  it('fail the run before it runs, and once it is to stop', () => {
    const stopped = runWith([{ kind: 'stop', drain: false }, failed(0)]);
    expect(kinds(stopped.actions)).toEqual(['command', 'command', 'FAILING', 'command', 'command']);
    const coordinator = new Coordinator({
      slots: [0],
      cancellationTimeoutMs: 1000,
      regions: REGIONS,
      takesCheckpoints: false,
    });
    expect(kinds(coordinator.handle(failed(0)))[0]).toBe('FAILING');
  });

  it('leave the run to be canceled and stopped while they are down', () => {
    const canceled = runWith([failed(0), { kind: 'cancel', reason: null }, ended(0), ended(1)]);
    expect(canceled.actions).toContainEqual({ kind: 'command', slot: 1, command: COMMAND_CANCEL });
    expect(kinds(canceled.actions)).not.toContain('regionDown');
    const stopped = runWith([failed(0), { kind: 'stop', drain: false }]);
    expect(stopped.actions).toContainEqual({ kind: 'command', slot: 1, command: COMMAND_STOP });
  });

  it('have slots terminated that do not give them up in time', () => {
    const { coordinator } = runWith([failed(0), ended(0)]);
    expect(coordinator.handle({ kind: 'tick', nowMs: 5000 })).toEqual([]);
    expect(coordinator.handle({ kind: 'tick', nowMs: 5999 })).toEqual([]);
    const late = coordinator.handle({ kind: 'tick', nowMs: 6000 });
    expect(late).toEqual([{ kind: 'terminate', slot: 1 }]);
    const gone = coordinator.handle({ kind: 'slotExited', slot: 1, error: ERROR });
    expect(kinds(gone)[0]).toBe('FAILING');
  });
});
