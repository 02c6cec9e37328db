import { describe, expect, it } from 'vitest';
import {
  STEP_DONE,
  STEP_OUT_OF_BUDGET,
  STEP_OUT_OF_OUTPUT,
} from '../../../src/operator/contract.js';
import { col } from '../../../src/operator/expression-builder.js';
import { keyGroupOf, keyGroupRange } from '../../../src/record/key-group.js';
import { hashText } from '../../../src/record/key-hash.js';
import { batchOf, chainOf, line, MemorySnapshot, op, untilDone } from './chain-harness.js';

describe('resumable calls', () => {
  it('do bounded work on endless results of flatMap, and end them when closed', () => {
    let pulled = 0;
    let isEnded = false;
    const endless = op.flatMap(function* () {
      try {
        for (;;) yield pulled++;
      } finally {
        isEnded = true;
      }
    });
    const chain = chainOf({ operators: line(endless) });
    const batch = batchOf([1, 2]);
    const cursor = { position: 0 };
    for (let call = 1; call <= 5; call++) {
      expect(chain.task.step(0, batch, cursor, 10)).toBe(STEP_OUT_OF_BUDGET);
      expect(pulled).toBeLessThanOrEqual(call * 81);
    }
    expect(cursor.position).toBe(1);
    chain.task.close();
    expect(isEnded).toBe(true);
    chain.task.close();
  });

  it('pull an item only when the one before is handed on', () => {
    let isOpen = false;
    const shared = { n: 0 };
    const reusing = op.flatMap(function* (n: number) {
      for (let item = 0; item < 3; item++) {
        shared.n = n * 10 + item;
        yield shared;
      }
    });
    const chain = chainOf({ operators: line(reusing), capacity: 1, mayTake: () => isOpen });
    const batch = batchOf([1, 2]);
    const cursor = { position: 0 };
    expect(chain.task.step(0, batch, cursor, 10)).toBe(STEP_OUT_OF_OUTPUT);
    expect(chain.task.step(0, batch, cursor, 10)).toBe(STEP_OUT_OF_OUTPUT);
    isOpen = true;
    expect(chain.task.step(0, batch, cursor, 10)).toBe(STEP_DONE);
    expect(chain.ports[0].left.map(({ record }) => record)).toEqual(
      [10, 11, 12, 20, 21, 22].map((n) => ({ n })),
    );
  });

  it('stop at the budget and say so', () => {
    const chain = chainOf({ operators: [] });
    const batch = batchOf([1, 2, 3]);
    const cursor = { position: 0 };
    expect(chain.task.step(0, batch, cursor, 2)).toBe(STEP_OUT_OF_BUDGET);
    expect(cursor.position).toBe(2);
    expect(chain.task.step(0, batch, cursor, 2)).toBe(STEP_DONE);
  });

  it('hand partly filled builders on when told to', () => {
    let isOpen = false;
    const chain = chainOf({ operators: [], mayTake: () => isOpen });
    untilDone((cursor) => chain.task.step(0, batchOf([1, 2]), cursor, 10));
    expect(chain.task.flush()).toBe(false);
    isOpen = true;
    expect(chain.task.flush()).toBe(true);
    expect(chain.ports[0].left).toHaveLength(2);
  });

  it('empty partial aggregations before a barrier and a watermark', () => {
    const partial = { ...op.aggregate(['k'], { n: { fn: 'count' } }), phase: 'partial' } as const;
    for (const call of ['prepareBarrier', 'advance'] as const) {
      const chain = chainOf({ operators: line(partial) });
      untilDone((cursor) => chain.task.step(0, batchOf([{ k: 1 }, { k: 1 }]), cursor, 10));
      untilDone((cursor) =>
        call === 'advance'
          ? chain.task.advance(5, cursor, 10)
          : chain.task.prepareBarrier(cursor, 10),
      );
      chain.task.flush();
      expect(chain.ports[0].left.map(({ record }) => record)).toEqual([{ k: 1, $0: 2 }]);
    }
  });
});

describe('state of a chain', () => {
  const words = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  const operators = line(
    op.aggregate(['word'], {
      n: { fn: 'count' },
      ids: { fn: 'countDistinct', of: col('id') },
      list: { fn: 'collect', of: col('id') },
    }),
  );
  const owned = (subtask: number, parallelism: number) => (row: { word: string }) => {
    const { start, end } = keyGroupRange(subtask, parallelism, 128);
    const group = keyGroupOf(hashText(row.word), 128);
    return group >= start && group < end;
  };
  const rows = words.map((word, id) => ({ word, id }));

  it('moves to another parallelism, and is emitted without another record', () => {
    const pieces = new MemorySnapshot();
    for (let subtask = 0; subtask < 2; subtask++) {
      const chain = chainOf({ operators, subtask, parallelism: 2 });
      const mine = rows.filter(owned(subtask, 2));
      untilDone((cursor) => chain.task.step(0, batchOf([...mine, ...mine]), cursor, 100));
      untilDone((cursor) => chain.task.prepareBarrier(cursor, 100));
      chain.task.snapshot(pieces);
    }
    const results: unknown[] = [];
    for (let subtask = 0; subtask < 3; subtask++) {
      const { start, end } = keyGroupRange(subtask, 3, 128);
      const chain = chainOf({ operators, subtask, parallelism: 3 });
      chain.task.restore({
        get: (uid, name) =>
          pieces
            .get(uid, name)
            .filter(({ keyGroup }) => keyGroup < 0 || (keyGroup >= start && keyGroup < end)),
      });
      untilDone((cursor) => chain.task.endOfInput(cursor, 2));
      chain.task.flush();
      results.push(...chain.ports[0].left.map(({ record }) => record));
    }
    expect(results).toHaveLength(8);
    expect(results).toEqual(
      expect.arrayContaining(rows.map(({ word, id }) => ({ word, n: 2, ids: 1, list: [id, id] }))),
    );
  });
});

describe('generated code', () => {
  it('is readable, and names no field unquoted', () => {
    const names = [
      'plain',
      'with space',
      'quote"\'`',
      'line\nend\u2028',
      '__proto__',
      'class',
      '$',
      '',
    ];
    const record = Object.fromEntries(names.map((name, index) => [name, index]));
    const chain = chainOf({
      operators: line(
        op.filter((r: object) => Object.keys({ ...r }).length > 0),
        op.map((r: object) => Object.assign(Object.create(null), r)),
        op.where(col('with space').eq(1)),
      ),
    });
    untilDone((cursor) => chain.task.step(0, batchOf([record]), cursor, 10));
    chain.task.flush();
    const [{ record: left }] = chain.ports[0].left;
    expect(Object.entries(left as object)).toEqual(Object.entries(record));
    expect(chain.task.code()).toContain('// where "where"');
    const comments = chain.task.code().match(/\/\/.*/g) ?? [];
    // A comment ends at any line separator, so names must not bring one in.
    expect(comments.join()).not.toContain('\u2028');
    expect(comments.some((comment) => comment.includes('line end'))).toBe(true);
  });

  it('has the chain as its file in stacks', () => {
    const chain = chainOf({
      operators: line(
        op.map(() => {
          throw new Error('here');
        }),
      ),
    });
    try {
      untilDone((cursor) => chain.task.step(0, batchOf([1]), cursor, 10));
      expect.unreachable();
    } catch (error) {
      const { cause } = error as { cause: Error };
      expect(cause.stack).toContain('millrace:chain/chain under test');
    }
  });
});
