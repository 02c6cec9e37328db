/**
 * The contract that every operator of a chain must keep, whatever it computes: it gives the same results when rows
 * come one at a time, when the budget is one row, when every other hand-over is refused by a full output, and when
 * its state moves to a new instance after every step, or leaves memory before each. Callers:
 * `operator-contract.test.ts`, and the tests of operators to come.
 */
import { describe, expect, it } from 'vitest';
import { STEP_DONE } from '../../src/operator/contract.js';
import { WATERMARK_MAX } from '../../src/time/watermark.js';
import {
  type ChainParts,
  chainOf,
  type ChainUnderTest,
  type Left,
  MemorySnapshot,
  untilDone,
} from '../unit/operator/chain-harness.js';
import {
  advanceAgain,
  batchesOf,
  flushAll,
  leftOf,
  type OperatorCase,
  workOnCalls,
} from './operator-drive.js';
import { replayed } from './replayed.js';

export type { OperatorCase } from './operator-drive.js';

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
  /** Puts all state on disk that may leave memory. */
  readonly isTiered: boolean;
}

const ALL: Drive = {
  name: 'all at once',
  rowsPerBatch: Number.MAX_SAFE_INTEGER,
  budgetRows: 1024,
  capacity: 1024,
  isFull: false,
  isMoved: false,
  isTiered: false,
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
  { ...ALL, name: 'state on disk, three rows at a time', rowsPerBatch: 3, isTiered: true },
  {
    ...ALL,
    name: 'state on disk, a budget of one row, outputs full',
    budgetRows: 1,
    capacity: 2,
    isFull: true,
    isTiered: true,
  },
  {
    ...ALL,
    name: 'a new instance after every call, outputs full, state on disk',
    rowsPerBatch: 7,
    budgetRows: 2,
    capacity: 2,
    isFull: true,
    isMoved: true,
    isTiered: true,
  },
];

/** Histories of snapshots and failures that a chain is put through. */
const SEEDS = 12;

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
    it('gives the same when it fails again and again and goes on from snapshots', () => {
      for (let seed = 1; seed <= SEEDS; seed++) {
        expect(replayed(operatorCase, seed), `seed ${seed}`).toEqual(expected);
      }
    });
  });
}

/** What leaves by each port. */
function driven(operatorCase: OperatorCase, drive: Drive): readonly (readonly Left[])[] {
  let calls = 0;
  let seenMs: number | null = null;
  const parts = { ...operatorCase.parts(), isTiered: drive.isTiered };
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
  return leftOf(operatorCase, chain);
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
