import { describe, expect, it } from 'vitest';
import {
  POLL_BATCH,
  POLL_NEED_SPLIT,
  POLL_WAIT,
  type PollResult,
  type SourceReader,
  type Split,
} from '../../../src/connector/contract.js';
import type { Batch } from '../../../src/record/batch.js';
import { HEAD_BATCH, HEAD_END, HEAD_WAIT, SourceHead } from '../../../src/runtime/source-head.js';
import { builderOf } from './runtime-harness.js';

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

function planOf(splits: number) {
  const made = Array.from({ length: splits }, (_, index) => ({
    id: `${index}`,
    bytes: null,
    rows: null,
    data: null,
  }));
  return { schema: null, splits: made, bytes: null, rows: null, data: null };
}

describe('SourceHead', () => {
  it('gives each split to exactly one of the subtasks that share the counter', () => {
    const counter = new Int32Array(new SharedArrayBuffer(4));
    const readers = [new SplitReader(), new SplitReader(), new SplitReader()];
    const heads = readers.map((reader) => new SourceHead(reader, planOf(7), counter, null));
    const open = new Set(heads);
    for (let turn = 0; open.size > 0 && turn < 100; turn++) {
      for (const head of open) if (head.poll() === HEAD_END) open.delete(head);
    }
    const taken = readers.flatMap((reader) => reader.splits).sort();
    expect(taken).toEqual(['0', '1', '2', '3', '4', '5', '6']);
  });

  it('ends at once without splits, and again when it is asked again', () => {
    const head = new SourceHead(new SplitReader(), planOf(0), new Int32Array(1), null);
    expect([head.poll(), head.poll()]).toEqual([HEAD_END, HEAD_END]);
    expect(head.isWaiting).toBe(false);
  });

  it('waits exactly while its reader does', () => {
    const head = new SourceHead(new SplitReader(true), planOf(1), new Int32Array(1), null);
    const seen = Array.from({ length: 3 }, () => [head.poll(), head.isWaiting]);
    expect(seen).toEqual([
      [HEAD_WAIT, true],
      [HEAD_BATCH, false],
      [HEAD_END, false],
    ]);
  });
});
