/**
 * What the drivers of the operator contract share: the case that they drive, its rows in batches, and what a subtask
 * does around calls of its task. Callers: `operator-contract.ts`, `replayed.ts`.
 */
import type { InputSide } from '../../src/operator/operator-sides.js';
import type { Batch } from '../../src/record/batch.js';
import { STEP_DONE } from '../../src/operator/contract.js';
import { WATERMARK_MIN } from '../../src/time/watermark.js';
import {
  batchOf,
  type ChainParts,
  type ChainUnderTest,
  type Left,
  untilDone,
} from '../unit/operator/chain-harness.js';

/** A chain and what goes through it. */
export interface OperatorCase {
  readonly name: string;
  /** Made anew for each run, so that functions with a memory start afresh. */
  readonly parts: () => ChainParts;
  readonly records: readonly unknown[];
  readonly times?: readonly number[];
  readonly kinds?: readonly number[];
  /** The side of each record, for an operator with two; input n of the chain then feeds side n. */
  readonly sides?: readonly InputSide[];
  /** Watermarks that follow so many records, in order; event time then ends with the input. */
  readonly watermarks?: readonly { readonly afterRecords: number; readonly watermarkMs: number }[];
  /** Whether results may come in any order: those of state that is emitted at the end. */
  readonly isUnordered?: boolean;
}

/** What a subtask does when answers have come: hands them on, and the watermarks that waited for them. */
export function workOnCalls(
  { task }: ChainUnderTest,
  { clock }: ChainParts,
  budgetRows: number,
  watermarkMs: number | null,
): void {
  if (task.callsInFlight === null) return;
  // A new instance makes its calls again; some must be answered before the next one comes, or nothing would go on.
  for (let looks = 0; looks < 4 || task.nextProcessingTimer <= 0 || task.isTimeDue; looks++) {
    const nowMs = clock?.epochMs() ?? 0;
    untilDone((cursor) => task.advanceProcessingTime(nowMs, cursor, budgetRows));
    if (!task.isTimeDue) continue;
    untilDone((cursor) => task.advance(watermarkMs ?? WATERMARK_MIN, cursor, budgetRows));
  }
}

/** A snapshot holds no watermark: the input brings it again. */
export function advanceAgain(
  chain: ChainUnderTest,
  budgetRows: number,
  watermarkMs: number | null,
): void {
  if (watermarkMs === null) return;
  untilDone((cursor) => chain.task.advance(watermarkMs, cursor, budgetRows));
}

/** What a chain is given at once. */
export interface Piece {
  readonly input: InputSide;
  readonly batch: Batch;
  /** The watermark that follows it. */
  readonly watermarkMs: number | null;
}

/** The records in batches, which end where a watermark follows and where records of the other side begin. */
export function batchesOf(operatorCase: OperatorCase, rowsPerBatch: number): readonly Piece[] {
  const { records, times, kinds, sides, watermarks = [] } = operatorCase;
  const sideOf = (at: number): InputSide => sides?.[at] ?? 0;
  const schemas = [0, 1].map((side) => batchOf(records.filter((_, at) => sideOf(at) === side)));
  const pieces: Piece[] = [];
  for (let from = 0; from < records.length; ) {
    const input = sideOf(from);
    const next = watermarks.find(({ afterRecords }) => afterRecords > from);
    let to = Math.min(from + rowsPerBatch, next?.afterRecords ?? records.length);
    for (let at = from; at < to; at++) if (sideOf(at) !== input) to = at;
    const batch = batchOf(records.slice(from, to), {
      schema: schemas[input].schema,
      ...(times === undefined ? {} : { times: times.slice(from, to) }),
      ...(kinds === undefined ? {} : { kinds: kinds.slice(from, to) }),
    });
    const watermarkMs = to === next?.afterRecords ? next.watermarkMs : null;
    pieces.push({ input, batch, watermarkMs });
    from = to;
  }
  return pieces;
}

/** Hands on what builders hold. */
export function flushAll(chain: ChainUnderTest): void {
  untilDone(() => (chain.task.flush() ? STEP_DONE : 1));
}

/** What left by each port, in an order that does not depend on how rows were driven. */
export function leftOf(
  { isUnordered }: OperatorCase,
  chain: ChainUnderTest,
): readonly (readonly Left[])[] {
  return chain.ports.map(({ left }) =>
    isUnordered ? left.toSorted(byText) : left.toSorted((a, b) => a.channel - b.channel),
  );
}

function byText(a: Left, b: Left): number {
  const [x, y] = [a, b].map((left) => JSON.stringify(left, withBigints));
  return x < y ? -1 : x > y ? 1 : 0;
}

function withBigints(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value;
}
