import { describe, expect, it } from 'vitest';
import {
  POLL_BATCH,
  POLL_NEED_SPLIT,
  POLL_WAIT,
  type PollResult,
  type ReaderContext,
  type SourceReader,
  type Split,
} from '../../../src/connector/contract.js';
import type { Batch } from '../../../src/record/batch.js';
import {
  HEAD_BATCH,
  HEAD_END,
  HEAD_WAIT,
  type SourceHead,
} from '../../../src/runtime/source-head.js';
import { RecordReader } from '../../../src/connector/iterable/record-reader.js';
import { PULL_END, type RecordPull } from '../../../src/connector/iterable/record-pull.js';
import { MemorySchemas } from '../operator/chain-harness.js';
import {
  builderOf,
  planOfSplits,
  recordsOf,
  ScriptedTask,
  sourceHeadOf,
} from './runtime-harness.js';

/** A reader of splits that hold one batch each; waits once before it when told. */
class SplitReader implements SourceReader {
  readonly batch: Batch = builderOf([{ v: 1 }]).take();
  readonly bytesRead = 0;
  readonly splits: string[] = [];
  #pending = false;
  #mustWait: boolean;

  constructor(mustWait = false) {
    this.#mustWait = mustWait;
  }

  addSplit(split: Split): void {
    this.splits.push(split.id);
    this.#pending = true;
  }

  poll(): PollResult {
    if (!this.#pending) return POLL_NEED_SPLIT;
    if (this.#mustWait) {
      this.#mustWait = false;
      return POLL_WAIT;
    }
    this.#pending = false;
    return POLL_BATCH;
  }

  positions(): readonly never[] {
    return [];
  }

  close(): void {}
}

describe('SourceHead', () => {
  it('gives each split to exactly one of the subtasks that share the counter', () => {
    const nextSplit = new Int32Array(new SharedArrayBuffer(4));
    const readers = [new SplitReader(), new SplitReader(), new SplitReader()];
    const heads = readers.map((reader) =>
      sourceHeadOf(reader, { plan: planOfSplits(7), nextSplit }),
    );
    const open = new Set(heads);
    for (let turn = 0; open.size > 0 && turn < 100; turn++) {
      for (const head of open) if (head.poll() === HEAD_END) open.delete(head);
    }
    const taken = readers.flatMap((reader) => reader.splits).sort();
    expect(taken).toEqual(planOfSplits(7).splits.map(({ id }) => id));
  });

  it('ends at once without splits, and again when it is asked again', () => {
    const head = sourceHeadOf(new SplitReader(), { plan: planOfSplits(0) });
    expect([head.poll(), head.poll()]).toEqual([HEAD_END, HEAD_END]);
    expect(head.isWaiting).toBe(false);
  });

  it('waits exactly while its reader does', () => {
    const head = sourceHeadOf(new SplitReader(true));
    const seen = Array.from({ length: 3 }, () => [head.poll(), head.isWaiting]);
    expect(seen).toEqual([
      [HEAD_WAIT, true],
      [HEAD_BATCH, false],
      [HEAD_END, false],
    ]);
  });

  it('tells which split each batch is of, and when one has ended', () => {
    const listener = new ScriptedTask();
    const head = sourceHeadOf(new SplitReader(), { plan: planOfSplits(2), listener });
    while (head.poll() !== HEAD_END);
    expect(listener.calls).toEqual([
      'enter split 0',
      'end split 0',
      'enter split 1',
      'end split 1',
    ]);
  });
});

describe('SourceHead of splits that are read side by side', () => {
  const opened = (subtask: number): { head: SourceHead; listener: ScriptedTask } => {
    const listener = new ScriptedTask();
    const split = (id: string): RecordPull => {
      const records = [[{ id }], [{ id }]];
      return { pull: () => records.shift() ?? PULL_END, stop: () => undefined };
    };
    const schemas = new MemorySchemas();
    const context = { schemas, batchRows: 4 } as unknown as ReaderContext;
    const reader = new RecordReader(context, null, ({ id }) => split(id));
    const dealt = { first: subtask, every: 2 };
    return { head: sourceHeadOf(reader, { plan: planOfSplits(5), dealt, listener }), listener };
  };

  it('deals them out, whoever polls first, and takes turns between them', () => {
    const { head, listener } = opened(1);
    const read: unknown[] = [];
    while (head.poll() === HEAD_BATCH) if (head.batch !== null) read.push(...recordsOf(head.batch));
    expect(read).toEqual([1, 3, 1, 3].map((split) => ({ id: `split ${split}` })));
    expect(listener.calls.slice(-2)).toEqual(['end split 1', 'end split 3']);
    expect(opened(0).head.poll()).toBe(HEAD_BATCH);
  });

  it('reads nothing of a paused split until it is resumed', () => {
    const { head } = opened(0);
    const read = (): unknown =>
      head.poll() === HEAD_BATCH ? recordsOf(head.batch as Batch) : null;
    expect(read()).toEqual([{ id: 'split 0' }]);
    head.pause([0, 4]);
    expect([read(), read(), read()]).toEqual([[{ id: 'split 2' }], [{ id: 'split 2' }], null]);
    head.pause([4]);
    expect([read(), read()]).toEqual([[{ id: 'split 0' }], null]);
    head.pause([]);
    expect([read(), read(), read(), head.poll()]).toEqual([
      [{ id: 'split 4' }],
      [{ id: 'split 4' }],
      null,
      HEAD_END,
    ]);
  });
});
