/** Joins that keep rows as bytes: what happens to the rows when records change, are moved, or are refused. */
import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../../src/base/errors.js';
import { KIND_INSERT, KIND_UPDATE_AFTER } from '../../../src/record/batch.js';
import type { OperatorSpec } from '../../../src/operator/operator-spec.js';
import type { Batch } from '../../../src/record/batch.js';
import { keyGroupRange } from '../../../src/record/key-group.js';
import { CurrentKey } from '../../../src/state/key-context.js';
import {
  batchOf,
  type ChainParts,
  type ChainUnderTest,
  chainOf,
  line,
  MemorySnapshot,
  op,
  untilDone,
} from './chain-harness.js';

const CHOSEN = op.join(
  ['k'],
  [
    { as: 'left', side: 0, name: 'v' },
    { as: 'right', side: 1, name: 'v' },
  ],
);
const MADE = op.join(['k'], (left: { v: unknown }, right: { v: unknown }) => ({
  left: left.v,
  right: right.v,
}));

function joined(operator: OperatorSpec, more: Partial<ChainParts> = {}) {
  const chain = chainOf({ operators: line(operator), inputSides: [0, 1], ...more });
  return { chain, ...driver(chain) };
}

function driver({ task, ports }: ChainUnderTest) {
  const give = (side: 0 | 1, batch: Batch): void =>
    untilDone((cursor) => task.step(side, batch, cursor, 100));
  const rows = (): readonly unknown[] => {
    untilDone(() => (task.flush() ? 0 : 1));
    return ports[0].left.map(({ record }) => record);
  };
  return { give, rows };
}

function failure(call: () => unknown): MillraceError {
  try {
    call();
  } catch (error) {
    if (MillraceError.is(error)) return error;
  }
  throw new Error('Nothing was thrown.');
}

/** Keys of a subtask of two. */
function keysOf(subtask: number): readonly number[] {
  const key = new CurrentKey([{ kind: 'number' }], 128);
  const { start, end } = keyGroupRange(subtask, 2, 128);
  return Array.from({ length: 40 }, (_, k) => k).filter((k) => {
    key.set([k]);
    return key.keyGroup >= start && key.keyGroup < end;
  });
}

const VALUES: readonly unknown[] = [
  1,
  2.5,
  'text',
  null,
  true,
  [1, 'two'],
  { deep: { er: [1] } },
  new Date(5),
  7n,
  new Uint8Array([1, 2, 3]),
  new Map([[1, 'one']]),
];

describe.each([
  ['of chosen fields', CHOSEN],
  ['by a function', MADE],
])('a join %s', (_, operator) => {
  it('gives rows that were kept under a schema before, whatever it has become', () => {
    const { give, rows } = joined(operator);
    VALUES.forEach((v, version) => give(0, batchOf([{ k: 1, v }], { version })));
    give(1, batchOf([{ k: 1, v: 'right', more: 1 }]));
    expect(rows()).toEqual(VALUES.map((left) => ({ left, right: 'right' })));
  });

  it('gives what is missing as missing, when a field has come later', () => {
    const { give, rows } = joined(operator);
    give(0, batchOf([{ k: 1, v: 1 }]));
    give(0, batchOf([{ k: 1 }, { k: 1, v: 2 }], { version: 2 }));
    give(1, batchOf([{ k: 1, v: 3 }]));
    expect(rows()).toEqual([{ left: 1, right: 3 }, { right: 3 }, { left: 2, right: 3 }]);
  });

  it('goes on from snapshots of subtasks that have known different schemas', () => {
    const halves = [0, 1].map((subtask) => {
      const parts = { subtask, parallelism: 2 };
      const one = joined(operator, parts);
      // A subtask knows of its own records alone: those of both are of a wider schema.
      const own = keysOf(subtask).map((k) => ({ k, v: subtask === 0 ? k : `text ${k}` }));
      one.give(0, batchOf(own));
      const snapshot = new MemorySnapshot();
      one.chain.task.snapshot(snapshot);
      return snapshot;
    });
    const { chain, give, rows } = joined(operator);
    chain.task.restore({
      get: (uid, name) => halves.flatMap((half) => [...half.get(uid, name)]),
    });
    const all = [...keysOf(0), ...keysOf(1)];
    give(1, batchOf(all.map((k) => ({ k, v: -k }))));
    expect(rows()).toEqual(
      all.map((k) => ({ left: keysOf(0).includes(k) ? k : `text ${k}`, right: -k })),
    );
  });

  it('refuses updates of earlier records, and takes first ones', () => {
    const { give, rows } = joined(operator);
    give(0, batchOf([{ k: 1, v: 1 }], { kinds: [KIND_INSERT] }));
    give(1, batchOf([{ k: 1, v: 2 }], { kinds: [KIND_INSERT] }));
    expect(rows()).toHaveLength(1);
    const update = batchOf([{ k: 1, v: 3 }], { kinds: [KIND_UPDATE_AFTER] });
    const error = failure(() => give(1, update));
    expect(error.code).toBe('FEATURE_UNSUPPORTED');
    expect(error.where.operator).toBe('join');
    expect(error.message).toContain('update');
  });

  it('refuses keys that are null, and keys of another type', () => {
    const { give } = joined(operator);
    const nulls = batchOf([
      { k: 1, v: 1 },
      { k: null, v: 1 },
    ]);
    expect(failure(() => give(0, nulls)).code).toBe('KEY_UNSUPPORTED');
    const other = joined(operator);
    other.give(0, batchOf([{ k: 1, v: 1 }]));
    expect(failure(() => other.give(1, batchOf([{ k: 'a', v: 1 }]))).code).toBe('SCHEMA_CONFLICT');
  });

  it('gives the pairs of one row in slices, in the order of arrival, as there is room', () => {
    let taken = 0;
    const { chain, rows } = joined(operator, { capacity: 7, mayTake: () => taken++ % 3 === 2 });
    const many = Array.from({ length: 500 }, (_, v) => ({ k: 1, v }));
    untilDone((cursor) => chain.task.step(0, batchOf(many), cursor, 1024));
    untilDone((cursor) => chain.task.step(1, batchOf([{ k: 1, v: 'one' }]), cursor, 3));
    expect(rows()).toEqual(many.map(({ v }) => ({ left: v, right: 'one' })));
  });
});

describe('a join', () => {
  it('says which chosen field is not there', () => {
    const { give } = joined(CHOSEN);
    const error = failure(() => give(0, batchOf([{ k: 1, w: 1 }])));
    expect(error.code).toBe('FIELD_UNKNOWN');
    expect(error.where.field).toBe('v');
  });

  it('joins records that are no objects by a function', () => {
    const whole = op.join(['0'], (left: readonly unknown[], right: readonly unknown[]) => [
      left,
      right,
    ]);
    const { give, rows } = joined(whole);
    give(0, batchOf([[1, 'a']]));
    give(1, batchOf([[1, 'b', true]]));
    expect(rows()).toEqual([
      [
        [1, 'a'],
        [1, 'b', true],
      ],
    ]);
  });

  it('refuses undefined where a record is due', () => {
    const { give } = joined(op.join(['k'], () => undefined));
    give(0, batchOf([{ k: 1 }]));
    expect(failure(() => give(1, batchOf([{ k: 1 }]))).code).toBe('USER_FUNCTION_FAILED');
  });
});
