import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  POLL_BATCH,
  POLL_NEED_SPLIT,
  type PollResult,
  type SourceReader,
  type Split,
  type SplitPosition,
} from '../../src/connector/contract.js';
import type { CheckpointManifest, SourceProgress } from '../../src/checkpoint/contract.js';
import {
  HEAD_BATCH,
  HEAD_END,
  type RestoredSource,
  SourceHead,
} from '../../src/runtime/source-head.js';
import { dealSplits } from '../../src/runtime/restore-plan.js';
import { builderOf, planOfSplits, ScriptedTask } from '../unit/runtime/runtime-harness.js';

/** Gives the rows of its splits one by one. Like file readers, it forgets a split with its last row. */
class RowReader implements SourceReader {
  readonly bytesRead = 0;
  batch = builderOf([{ v: 0 }]).take();
  readonly #rowsOf: (split: string) => number;
  #split: Split | null = null;
  #given = 0;

  constructor(rowsOf: (split: string) => number) {
    this.#rowsOf = rowsOf;
  }

  /** The row that the last poll gave. */
  row = '';

  addSplit(split: Split, position: unknown): void {
    this.#split = split;
    this.#given = typeof position === 'number' ? position : 0;
  }

  poll(): PollResult {
    const split = this.#split;
    if (split === null || this.#given >= this.#rowsOf(split.id)) {
      this.#split = null;
      return POLL_NEED_SPLIT;
    }
    this.row = `${split.id}/${this.#given++}`;
    return POLL_BATCH;
  }

  positions(): readonly SplitPosition[] {
    const split = this.#split;
    if (split === null || this.#given >= this.#rowsOf(split.id)) return [];
    return [{ split, position: this.#given }];
  }

  close(): void {}
}

/** Reads a source with so many subtasks, which take turns as told, until they end or the turns do. */
function readOn(
  rowsOf: readonly number[],
  restored: readonly (RestoredSource | null)[],
  turns: readonly number[] | null,
): { readonly rows: readonly string[]; readonly progress: readonly SourceProgress[] } {
  const nextSplit = new Int32Array(new SharedArrayBuffer(4));
  const plan = planOfSplits(rowsOf.length);
  const heads = restored.map((one) => {
    const reader = new RowReader((id) => rowsOf[Number(id.split(' ')[1])]);
    const parts = { plan, nextSplit, dealt: null, deadLetters: null, listener: new ScriptedTask() };
    return { reader, head: new SourceHead({ reader, restored: one, ...parts }) };
  });
  const rows: string[] = [];
  const step = ({ reader, head }: (typeof heads)[number]): boolean => {
    const found = head.poll();
    if (found === HEAD_BATCH) rows.push(reader.row);
    return found !== HEAD_END;
  };
  if (turns === null) for (const head of heads) while (step(head));
  else for (const turn of turns) step(heads[turn % heads.length]);
  return { rows, progress: heads.map(({ head }) => head.progress()) };
}

describe('the progress of a source', () => {
  it('has every row read exactly once over any number of restores, at any parallelism', () => {
    const splits = fc.array(fc.nat(4), { maxLength: 6 });
    const attempt = fc.record({
      parallelism: fc.integer({ min: 1, max: 4 }),
      turns: fc.array(fc.nat(3), { maxLength: 12 }),
    });
    fc.assert(
      fc.property(splits, fc.array(attempt, { minLength: 1, maxLength: 4 }), (rowsOf, attempts) => {
        const plan = planOfSplits(rowsOf.length);
        const read: string[] = [];
        let progress: readonly SourceProgress[] | null = null;
        for (const [index, { parallelism, turns }] of attempts.entries()) {
          const restored =
            progress === null
              ? Array.from({ length: parallelism }, () => null)
              : dealSplits(plan, progress, parallelism);
          const isLast = index === attempts.length - 1;
          const found = readOn(rowsOf, restored, isLast ? null : turns);
          read.push(...found.rows);
          progress = found.progress;
        }
        const all = rowsOf.flatMap((rows, split) =>
          Array.from({ length: rows }, (_, row) => `split ${split}/${row}`),
        );
        expect(read.toSorted()).toEqual(all.toSorted());
        const finished = (progress ?? []).flatMap((one) => one.finished).toSorted();
        expect(finished).toEqual(plan.splits.map(({ id }) => id).toSorted());
      }),
    );
  });

  it('gives subtasks back what they had in hand when there are as many as before', () => {
    const inHand = (split: string): SourceProgress => ({
      inHand: [{ split, position: 1 }],
      finished: [],
    });
    const before: CheckpointManifest['sources'][number]['progress'] = [
      inHand('split 2'),
      inHand('split 0'),
    ];
    const dealt = dealSplits(planOfSplits(3), before, 2);
    expect(dealt.map((one) => one.inHand.map(({ split }) => split))).toEqual([
      ['split 2'],
      ['split 0'],
    ]);
    expect(dealt[0].unread).toEqual([1]);
  });
});
