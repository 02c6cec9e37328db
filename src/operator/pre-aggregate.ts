/**
 * Splitting a keyed aggregation into a partial phase before the exchange and a merging one after it. Callers: the
 * graph. Runs on: any thread; pure. Invariant: the merging phase keeps the identity of the aggregation the user
 * wrote, and the two phases give what the single one gives, except for the rounding of float sums.
 */
import type { AggregateOperator } from './aggregate-fields.js';
import type { AggregateSpec, OperatorSpec, WindowSpec } from './operator-spec.js';

/** Functions that merge without loss; the others depend on the order of arrival or on sets of values. */
const MERGEABLE: ReadonlySet<AggregateSpec['fn']> = new Set(['count', 'sum', 'min', 'max', 'avg']);

/** Whether what two sessions of a key hold can be made one: all but lists and sets of values. */
export function canMerge(aggregate: AggregateSpec): boolean {
  if (aggregate.fn === 'user') return aggregate.aggregator.merge !== undefined;
  return aggregate.fn !== 'collect' && aggregate.fn !== 'countDistinct';
}

/** Whether an operator may run in two phases. */
export function canPreAggregate(spec: OperatorSpec): boolean {
  return (
    spec.kind === 'aggregate' &&
    spec.emit === 'final' &&
    spec.phase === 'single' &&
    (spec.window === null ? spec.keys.length > 0 : canSplitWindow(spec.window)) &&
    isCarried(spec)
  );
}

/** Whether what an aggregation keeps can be carried from one phase to another. */
export function isCarried({ aggregates }: AggregateOperator): boolean {
  return aggregates.every((aggregate) =>
    aggregate.fn === 'user'
      ? aggregate.aggregator.merge !== undefined
      : MERGEABLE.has(aggregate.fn),
  );
}

/**
 * Whether windows may be filled in two phases: not sessions, which only all records together tell apart, not where
 * each late record counts by itself, and not where the time is that of the exchange's other end.
 */
function canSplitWindow({ grid, time, allowedLatenessMs, lateTag }: WindowSpec): boolean {
  const isAligned = grid !== undefined;
  return isAligned && time === 'event' && allowedLatenessMs === null && lateTag === null;
}

/**
 * Whether windows overlap and are made of panes, so that a row is added once: where what panes come to can be merged
 * whatever the order in which rows arrived, and no late row makes a single window give its result again.
 */
export function hasPanes({ window, phase, aggregates }: AggregateOperator): boolean {
  return (
    window?.grid !== undefined &&
    phase !== 'partial' &&
    window.grid.sizeMs > window.grid.slideMs &&
    window.allowedLatenessMs === null &&
    aggregates.every(({ fn }) => MERGEABLE.has(fn))
  );
}

/** The uid of the partial phase before one of the inputs of an aggregation. */
export function partialUid(uid: string, input: number, inputs: number): string {
  return inputs === 1 ? `${uid}-partial` : `${uid}-partial-${input + 1}`;
}

/** The two phases of an aggregation for which `canPreAggregate` holds. */
export function splitAggregate(spec: AggregateOperator): {
  readonly partial: AggregateOperator;
  readonly merge: AggregateOperator;
} {
  return {
    partial: {
      ...spec,
      uid: partialUid(spec.uid, 0, 1),
      name: `partial ${spec.name}`,
      phase: 'partial',
    },
    // Filters and inputs are applied before the exchange; behind it every row of a key counts.
    merge: { ...spec, phase: 'merge' },
  };
}
