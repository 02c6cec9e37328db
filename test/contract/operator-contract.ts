/**
 * The contract that every operator of a chain must keep, whatever it computes: it gives the same results when rows
 * come one at a time, when the budget is one row, when every other hand-over is refused by a full output, and when
 * its state moves to a new instance after every step. Callers: `operator-contract.test.ts`, and the tests of
 * operators to come.
 */
import { describe, expect, it } from 'vitest';
import type { Batch } from '../../src/record/batch.js';
import { STEP_DONE } from '../../src/operator/contract.js';
import type { InputSide } from '../../src/operator/operator-sides.js';
import { WATERMARK_MAX, WATERMARK_MIN } from '../../src/time/watermark.js';
import {
  batchOf,
  type ChainParts,
  chainOf,
  type ChainUnderTest,
  type Left,
  MemorySnapshot,
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

/** How the rows of a case are driven through it. */
interface Drive {
  readonly name: string;
  readonly rowsPerBatch: number;
  readonly budgetRows: number;
  readonly capacity: number;
  /** Refuses every other hand-over. */
  readonly isFull: boolean;
  /** Moves the state to a new instance after every call. */
  readonly isMoved: boolean;
}

const ALL: Drive = {
  name: 'all at once',
  rowsPerBatch: Number.MAX_SAFE_INTEGER,
  budgetRows: 1024,
  capacity: 1024,
  isFull: false,
  isMoved: false,
};

const DRIVES: readonly Drive[] = [
  { ...ALL, name: 'one row at a time', rowsPerBatch: 1 },
  { ...ALL, name: 'a budget of one row', budgetRows: 1 },
  { ...ALL, name: 'outputs always full', capacity: 2, isFull: true },
  {
    ...ALL,
    name: 'full outputs of one row, budget of three',
    budgetRows: 3,
    capacity: 1,
    isFull: true,
  },
  { ...ALL, name: 'a new instance after every row', rowsPerBatch: 5, budgetRows: 1, isMoved: true },
  {
    name: 'a new instance after every call, outputs full',
    rowsPerBatch: 7,
    budgetRows: 2,
    capacity: 2,
    isFull: true,
    isMoved: true,
  },
];

/** Tests that a chain keeps the contract. */
export function describeOperator(operatorCase: OperatorCase): void {
  describe(operatorCase.name, () => {
    const expected = driven(operatorCase, ALL);
    it('gives something', () => {
      expect(expected.some((left) => left.length > 0)).toBe(true);
    });
    for (const drive of DRIVES) {
      it(`gives the same with ${drive.name}`, () => {
        expect(driven(operatorCase, drive)).toEqual(expected);
      });
    }
  });
}

/** What leaves by each port. */
function driven(operatorCase: OperatorCase, drive: Drive): readonly (readonly Left[])[] {
  let calls = 0;
  let seenMs: number | null = null;
  const parts = operatorCase.parts();
  const mayTake = (): boolean => !drive.isFull || calls++ % 2 === 1;
  let chain = chainOf({ ...parts, capacity: drive.capacity, mayTake });
  const move = (): void => {
    if (drive.isMoved) chain = moved(chain, { ...parts, mayTake }, drive.budgetRows);
  };
  const advance = (watermarkMs: number): void => {
    untilDone((cursor) => {
      const result = chain.task.advance(watermarkMs, cursor, drive.budgetRows);
      // A new instance knows of no watermark, and walks its operators from the first.
      if (drive.isMoved && result !== STEP_DONE) cursor.position = 0;
      move();
      return result;
    });
  };
  for (const { input, batch, watermarkMs } of batchesOf(operatorCase, drive.rowsPerBatch)) {
    untilDone((cursor) => {
      const result = chain.task.step(input, batch, cursor, drive.budgetRows);
      workOnCalls(chain, parts, drive.budgetRows, seenMs);
      move();
      if (drive.isMoved) advanceAgain(chain, drive.budgetRows, seenMs);
      return result;
    });
    if (watermarkMs === null) continue;
    seenMs = watermarkMs;
    advance(watermarkMs);
    if (drive.isMoved) advanceAgain(chain, drive.budgetRows, seenMs);
  }
  if (operatorCase.watermarks !== undefined) {
    seenMs = WATERMARK_MAX;
    advance(WATERMARK_MAX);
  }
  untilDone((cursor) => {
    if (drive.isMoved) advanceAgain(chain, drive.budgetRows, seenMs);
    workOnCalls(chain, parts, drive.budgetRows, seenMs);
    const result = chain.task.endOfInput(cursor, drive.budgetRows);
    move();
    return result;
  });
  flushAll(chain);
  chain.task.close();
  return chain.ports.map(({ left }) =>
    operatorCase.isUnordered
      ? left.toSorted(byText)
      : left.toSorted((a, b) => a.channel - b.channel),
  );
}

/** What a subtask does when answers have come: hands them on, and the watermarks that waited for them. */
function workOnCalls(
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
function advanceAgain(chain: ChainUnderTest, budgetRows: number, watermarkMs: number | null): void {
  if (watermarkMs === null) return;
  untilDone((cursor) => chain.task.advance(watermarkMs, cursor, budgetRows));
}

interface Piece {
  readonly input: InputSide;
  readonly batch: Batch;
  /** The watermark that follows it. */
  readonly watermarkMs: number | null;
}

/** The records in batches, which end where a watermark follows and where records of the other side begin. */
function batchesOf(operatorCase: OperatorCase, rowsPerBatch: number): readonly Piece[] {
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

/** The same chain with its state in a new instance; what was handed on stays with the ports. */
function moved(chain: ChainUnderTest, parts: ChainParts, budgetRows: number): ChainUnderTest {
  untilDone((cursor) => chain.task.prepareBarrier(cursor, budgetRows));
  flushAll(chain);
  const snapshot = new MemorySnapshot();
  chain.task.snapshot(snapshot);
  chain.task.close();
  const next = chainOf({ ...parts, from: chain });
  next.task.restore(snapshot);
  return next;
}

function flushAll(chain: ChainUnderTest): void {
  untilDone(() => (chain.task.flush() ? STEP_DONE : 1));
}

function byText(a: Left, b: Left): number {
  const [x, y] = [a, b].map((left) => JSON.stringify(left, withBigints));
  return x < y ? -1 : x > y ? 1 : 0;
}

function withBigints(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value;
}
