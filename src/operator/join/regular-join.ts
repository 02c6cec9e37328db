/**
 * The regular join as a process function with two sides: keeps the records of each side by key, and pairs each record
 * with all that the other side has had so far. Callers: the api makes it, `chain-process.ts` calls it. Runs on: the
 * slot's thread. Invariant: a pair is given exactly once, when the later of its records arrives; a record that has no
 * partner is given, where the type of the join asks for it, when the input has ended and no partner can come.
 */
import { MillraceError } from '../../base/errors.js';
import type { Duration } from '../../base/units.js';
import { KIND_INSERT } from '../../record/batch.js';
import type { ListState } from '../../state/state-handles.js';
import type { StateTtl } from '../../state/time-to-live.js';
import { WATERMARK_MAX } from '../../time/watermark.js';
import { NO_EVENT_TIME } from '../flow-row.js';
import type { ElementContext, EngineContext, OpenProcess } from '../process-function.js';

/** Of which sides records without a partner are kept: of none, the first, the second, or both. */
export type JoinType = 'inner' | 'left' | 'right' | 'full';

/** Whether a join gives the records of the first side that have no partner, and those of the second. */
export function keptSides(type: JoinType): readonly [boolean, boolean] {
  return [type === 'left' || type === 'full', type === 'right' || type === 'full'];
}

/** What a regular join is. */
export interface RegularJoin {
  readonly type: JoinType;
  /** Time to live of a record; null for ever. */
  readonly ttl: Duration | StateTtl | null;
  /** Makes the result of a pair; null stands for the partner that is not there. */
  readonly apply: (left: unknown, right: unknown) => unknown;
}

type Context = ElementContext<unknown, unknown>;

/** Makes the functions of a join. */
export function regularJoin(join: RegularJoin): OpenProcess<unknown, unknown, unknown, unknown> {
  const { type, apply } = join;
  const ttl = join.ttl === null ? {} : { ttl: join.ttl };
  const [keepsLeft, keepsRight] = keptSides(type);
  return function openJoin({ state }) {
    const lefts = state.list<unknown>({ name: 'left', ...ttl });
    const rights = state.list<unknown>({ name: 'right', ...ttl });
    return {
      processElement(left, context) {
        requireInsert(context);
        lefts.add(left);
        const isPaired = giveEach(rights, (right) => apply(left, right), context);
        if (keepsLeft && !isPaired) context.timers.registerEventTime(WATERMARK_MAX);
      },
      processElement2(right, context) {
        requireInsert(context);
        rights.add(right);
        const isPaired = giveEach(lefts, (left) => apply(left, right), context);
        if (keepsRight && !isPaired) context.timers.registerEventTime(WATERMARK_MAX);
      },
      onTimer(_timestamp, context) {
        endOfKey(lefts, rights, apply, context);
      },
    };
  };
}

/** The input has ended: what has found no partner will not find one. Timers stand only where it is to be given. */
function endOfKey(
  lefts: ListState<unknown>,
  rights: ListState<unknown>,
  apply: RegularJoin['apply'],
  context: Context,
): void {
  const hasLeft = isFilled(lefts);
  if (hasLeft && isFilled(rights)) return;
  // What is given has no time of its own any more: the end of time is no event time.
  if (hasLeft) giveEach(lefts, (left) => apply(left, null), context, NO_EVENT_TIME);
  else giveEach(rights, (right) => apply(null, right), context, NO_EVENT_TIME);
}

/** Results that are made at once; of further ones there is one at a time, as there is room. */
const MADE_AT_ONCE = 64;

/** Gives what is made of each record; false when there is none. */
function giveEach(
  records: ListState<unknown>,
  make: (record: unknown) => unknown,
  context: Context,
  timestamp?: number,
): boolean {
  let count = 0;
  const others: unknown[] = [];
  for (const record of records.get()) {
    if (count++ < MADE_AT_ONCE) context.collect(make(record), timestamp);
    else others.push(record);
  }
  if (others.length > 0) {
    const { collectAll } = context as EngineContext<unknown, unknown>;
    collectAll(madeOf(others, make), timestamp);
  }
  return count > 0;
}

function* madeOf(
  records: readonly unknown[],
  make: (record: unknown) => unknown,
): Generator<unknown> {
  for (const record of records) yield make(record);
}

function isFilled(records: ListState<unknown>): boolean {
  for (const _ of records.get()) return true;
  return false;
}

/** A change of an earlier record would need the pairs of the old one taken back. */
export function requireInsert(context: Context): void {
  if ((context as EngineContext<unknown, unknown>).kind === KIND_INSERT) return;
  throw new MillraceError(
    'FEATURE_UNSUPPORTED',
    'A join was given an update of an earlier record; it joins records that stay as they are.',
    { advice: "Give its input { emit: 'final' }, or join before the aggregation." },
  );
}
