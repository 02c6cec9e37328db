import { describe, expect, it } from 'vitest';
import type { Partitioner } from '../../../src/operator/operator-spec.js';
import { keyGroupOf, subtaskOf } from '../../../src/record/key-group.js';
import {
  combineHash,
  hashNumber,
  hashText,
  TUPLE_HASH_START,
} from '../../../src/record/key-hash.js';
import { batchOf, chainOf, line, op, runChain, untilDone } from './chain-harness.js';

const rows = Array.from({ length: 100 }, (_, id) => ({ id, user: `user ${id % 9} ü` }));

function channelsOf(partitioner: Partitioner, channels: number, input = rows): readonly number[] {
  const outputs = [{ after: -1, channels, partitioner }];
  const [left] = runChain({ operators: [], outputs }, [batchOf(input)]);
  expect(left).toHaveLength(input.length);
  const byId = left.toSorted((a, b) => idOf(a.record) - idOf(b.record));
  return byId.map(({ channel }) => channel);
}

function idOf(record: unknown): number {
  return (record as { id: number }).id;
}

describe('partitioners', () => {
  it('hash as Flink does', () => {
    const owner = (hash: number): number => subtaskOf(keyGroupOf(hash, 128), 3, 128);
    expect(channelsOf({ kind: 'hash', keys: ['id'] }, 3)).toEqual(
      rows.map(({ id }) => owner(hashNumber(id))),
    );
    expect(channelsOf({ kind: 'hash', keys: ['user'] }, 3)).toEqual(
      rows.map(({ user }) => owner(hashText(user))),
    );
    expect(channelsOf({ kind: 'hash', keys: ['user', 'id'] }, 3)).toEqual(
      rows.map(({ user, id }) =>
        owner(combineHash(combineHash(TUPLE_HASH_START, hashText(user)), hashNumber(id))),
      ),
    );
  });

  it('hash objects as they hash columns', () => {
    const partitioner: Partitioner = { kind: 'hash', keys: ['user'] };
    const outputs = [{ after: 0, channels: 4, partitioner }];
    const operators = line(op.map((r: { id: number }) => ({ ...r })));
    const [left] = runChain({ operators, outputs }, [batchOf(rows)]);
    const [direct] = runChain(
      { operators: [], outputs: [{ after: -1, channels: 4, partitioner }] },
      [batchOf(rows)],
    );
    const channels = (all: typeof left) =>
      new Map(all.map(({ record, channel }) => [idOf(record), channel]));
    expect(channels(left)).toEqual(channels(direct));
  });

  it('deal in turn', () => {
    const rebalanced = channelsOf({ kind: 'rebalance' }, 3);
    const [first] = rebalanced;
    expect(rebalanced).toEqual(rows.map((_, row) => (first + row) % 3));
    expect(channelsOf({ kind: 'rescale' }, 3)).toEqual(rows.map((_, row) => row % 3));
  });

  it('shuffle by the seed, evenly', () => {
    const shuffled = channelsOf({ kind: 'shuffle' }, 4);
    expect(channelsOf({ kind: 'shuffle' }, 4)).toEqual(shuffled);
    for (let channel = 0; channel < 4; channel++) {
      expect(shuffled.filter((other) => other === channel).length).toBeGreaterThan(10);
    }
  });

  it('send to all, to one, and where the user says', () => {
    expect(new Set(channelsOf({ kind: 'broadcast' }, 3))).toEqual(new Set([0]));
    expect(new Set(channelsOf({ kind: 'global' }, 3))).toEqual(new Set([0]));
    const custom = channelsOf(
      { kind: 'custom', fn: (r: { id: number }, n: number) => r.id % n },
      3,
    );
    expect(custom).toEqual(rows.map(({ id }) => id % 3));
  });
});

describe('outputs', () => {
  it('carry only the wanted columns', () => {
    const outputs = [{ after: -1, columns: ['user'] }, { after: -1, columns: [] }, { after: -1 }];
    const left = runChain({ operators: [], outputs }, [batchOf(rows.slice(0, 1))]);
    expect(left.map(([{ record }]) => record)).toEqual([{ user: 'user 0 ü' }, {}, rows[0]]);
  });

  it('look only at the fields they carry', () => {
    const operators = line(
      op.map((r: { id: number }) => ({ id: r.id, more: r.id < 70 ? 1 : 'x' })),
    );
    const chain = chainOf({ operators, outputs: [{ after: 0, columns: ['id'] }] });
    untilDone((cursor) => chain.task.step(0, batchOf(rows), cursor, 1000));
    expect(chain.schemas[0].versions).toHaveLength(1);
  });

  it('pass times and kinds on', () => {
    const input = batchOf(rows.slice(0, 2), { times: [5, 6], kinds: [0, 3] });
    const copies = op.flatMap((r: unknown) => [r, r]);
    const left = runChain({ operators: line(copies), outputs: [{ after: -1 }, { after: 0 }] }, [
      input,
    ]);
    const marks = left.map((port) => port.map(({ time, kind }) => [time, kind]));
    expect(marks[0]).toEqual([
      [5, 0],
      [6, 3],
    ]);
    expect(marks[1]).toEqual([
      [5, 0],
      [5, 0],
      [6, 3],
      [6, 3],
    ]);
  });

  it('take rows of several schemas', () => {
    const chain = chainOf({ operators: [] });
    const first = batchOf([{ a: 1 }]);
    const second = batchOf([{ a: 'x', b: null }]);
    const third = batchOf([[1, 2]]);
    for (const [input, batch] of [first, second, first, third, second].entries()) {
      untilDone((cursor) => chain.task.step([0, 1, 0, 2, 1][input], batch, cursor, 10));
    }
    untilDone(() => (chain.task.flush() ? 0 : 1));
    expect(chain.ports[0].left.map(({ record }) => record)).toEqual([
      { a: 1 },
      { a: 'x', b: null },
      { a: 1 },
      [1, 2],
      { a: 'x', b: null },
    ]);
    expect(chain.ports[0].opened).toBe(3);
  });

  it('keep what records hold', () => {
    const record = {
      n: Number.NaN,
      z: -0,
      t: 'lone \ud800 surrogate',
      i: 2n ** 62n,
      d: new Date(12),
      b: new Uint8Array([1, 2]),
      l: [1, null, 3],
      s: { a: { b: 'deep' }, c: null },
      m: new Map([['k', 1]]),
      e: [],
      x: new Set([1]),
      y: null,
    };
    const operators = line(op.map((r: object) => ({ ...r, more: true })));
    const [direct, mapped] = runChain({ operators, outputs: [{ after: -1 }, { after: 0 }] }, [
      batchOf([record, record]),
    ]);
    expect(direct[1].record).toEqual(record);
    expect(mapped[1].record).toEqual({ ...record, more: true });
  });

  it('tell missing from null', () => {
    const input = [{ a: 1 }, { a: 1, b: null }, { a: 1, b: 2 }, { a: 1, b: undefined }];
    const operators = line(op.filter(() => true));
    const [left] = runChain({ operators }, [batchOf(input)]);
    expect(left.map(({ record }) => Object.keys(record as object))).toEqual([
      ['a'],
      ['a', 'b'],
      ['a', 'b'],
      ['a'],
    ]);
  });
});
