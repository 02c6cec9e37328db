import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../../src/base/errors.js';
import { col } from '../../../src/operator/expression-builder.js';
import type { OperatorSpec } from '../../../src/operator/operator-spec.js';
import type { Schema } from '../../../src/record/schema.js';
import { batchOf, chainOf, line, op, recordsOf, runChain, untilDone } from './chain-harness.js';

/** The error that a chain ends with. */
function failureOf(operators: readonly OperatorSpec[], records: readonly unknown[]): MillraceError {
  try {
    recordsOf({ operators: line(...operators) }, records);
  } catch (error) {
    if (MillraceError.is(error)) return error;
    throw error;
  }
  throw new Error('The chain did not fail.');
}

const numbers = [1, 2, 3, 4];

describe('errors of user functions', () => {
  it('name operator, uid, record and line, and keep the cause', () => {
    const cause = new RangeError('three');
    const error = failureOf(
      [
        op.map((n: number) => n),
        op.filter((n: number) => {
          if (n === 3) throw cause;
          return true;
        }),
      ],
      numbers,
    );
    expect(error.code).toBe('USER_FUNCTION_FAILED');
    expect(error.where).toMatchObject({
      operator: 'filter',
      uid: 'filter-1',
      record: 2,
      subtask: 0,
    });
    expect(error.cause).toBe(cause);
    expect(error.message).toContain('RangeError: three');
    expect(error.advice).toContain('job.ts:1:2');
  });

  it('refuse undefined records', () => {
    for (const spec of [
      op.map((n: number) => (n > 2 ? undefined : n)),
      op.flatMap((n: number) => [n, undefined]),
    ]) {
      const error = failureOf([spec], numbers);
      expect(error.code).toBe('USER_FUNCTION_FAILED');
      expect(error.where.operator).toBe(spec.name);
    }
  });

  it('refuse results of flatMap without items', () => {
    expect(failureOf([op.flatMap(() => 'text')], numbers).message).toContain('a text');
    expect(failureOf([op.flatMap(() => 5)], numbers).message).toContain('a number');
    expect(failureOf([op.flatMap(() => ({}))], numbers).message).toContain('an array');
  });

  it('come out of iterators too', () => {
    const error = failureOf(
      [
        op.flatMap(function* () {
          yield 1;
          throw new Error('late');
        }),
      ],
      numbers,
    );
    expect(error.message).toContain('late');
    expect(error.where.operator).toBe('flatMap');
  });

  it('pass through errors with a code of their own', () => {
    const own = new MillraceError('BAD_RECORD', 'mine');
    const error = failureOf(
      [
        op.map(() => {
          throw own;
        }),
      ],
      numbers,
    );
    expect(error.code).toBe('BAD_RECORD');
    expect(error.where.operator).toBe('map');
  });

  it('tell the watching thread which operator runs', () => {
    let seen = -2;
    const chain = chainOf({
      operators: line(
        op.map((n: number) => n),
        op.map((n: number) => {
          seen = chain.control[0];
          return n;
        }),
      ),
    });
    expect(chain.control[0]).toBe(-1);
    untilDone((cursor) => chain.task.step(0, batchOf(numbers), cursor, 10));
    expect(seen).toBe(1);
    expect(chain.control[0]).toBe(-1);
  });
});

describe('errors of records', () => {
  it('name unknown fields and what is near', () => {
    const error = failureOf([op.where(col('prise').gt(1))], [{ price: 1 }]);
    expect(error.code).toBe('FIELD_UNKNOWN');
    expect(error.where.operator).toBe('where');
    const keyed = failureOf([op.distinct('usr')], [{ user: 1 }]);
    expect(keyed.code).toBe('FIELD_UNKNOWN');
    expect(keyed.advice).toContain('user');
  });

  it('refuse null keys, with the record', () => {
    const rows = [{ k: 'a' }, { k: null }];
    for (const spec of [
      op.distinct('k'),
      op.aggregate(['k'], { n: { fn: 'count' } }),
      op.reduce(['k'], (a: unknown) => a),
    ]) {
      const error = failureOf([spec], rows);
      expect(error.code).toBe('KEY_UNSUPPORTED');
      expect(error.where).toMatchObject({ operator: spec.name, field: 'k', record: 1 });
    }
    expect(failureOf([op.computeKey(() => null)], rows).code).toBe('KEY_UNSUPPORTED');
  });

  it('refuse keys that are not hashed by value', () => {
    const rows = [{ list: [1], object: { a: 1 }, map: new Map([[1, 2]]) }];
    for (const name of ['list', 'object', 'map']) {
      const error = failureOf([op.distinct(name)], rows);
      expect(error.code).toBe('KEY_UNSUPPORTED');
      expect(error.where.field).toBe(name);
    }
    const operators = [op.computeKey((r: { list: number[] }) => r.list), op.distinct('$key')];
    expect(failureOf(operators, rows).code).toBe('KEY_UNSUPPORTED');
  });

  it('refuse records that do not fit the declared schema', () => {
    const returns: Schema = {
      shape: 'object',
      fields: [{ name: 'n', type: { kind: 'int8' }, nullable: false, optional: false }],
    };
    const good = op.map((n: number) => ({ n }), returns);
    expect(recordsOf({ operators: line(good) }, numbers)).toHaveLength(4);
    for (const bad of [{ n: 1000 }, { n: null }, { n: 'x' }, {}]) {
      const error = failureOf([op.map(() => bad, returns)], numbers);
      expect(error.code).toBe('SCHEMA_CONFLICT');
      expect(error.where).toMatchObject({ operator: 'map', field: 'n' });
    }
    const extra = failureOf([op.map(() => ({ n: 1, m: 2 }), returns)], numbers);
    expect(extra.where.field).toBe('m');
    expect(failureOf([op.map(() => [1], returns)], numbers).code).toBe('SCHEMA_CONFLICT');
    expect(failureOf([op.map(() => null, returns)], numbers).code).toBe('SCHEMA_CONFLICT');
  });

  it('refuse values that no column carries', () => {
    const error = failureOf([op.map(() => ({ fn: () => 1 }))], numbers);
    expect(error.code).toBe('VALUE_UNSUPPORTED');
    expect(error.where).toMatchObject({ operator: 'map', field: 'fn' });
  });

  it('refuse channels out of range', () => {
    for (const channel of [3, -1, 0.5, '1', undefined]) {
      const outputs = [
        { after: -1, channels: 3, partitioner: { kind: 'custom', fn: () => channel } as const },
      ];
      expect(() => runChain({ operators: [], outputs }, [batchOf(numbers)])).toThrow(/0 to 2/);
    }
  });

  it('refuse state of other types than the records have', () => {
    const chain = chainOf({ operators: line(op.distinct('k')) });
    untilDone((cursor) => chain.task.step(0, batchOf([{ k: 1 }]), cursor, 10));
    const other = batchOf([{ k: 'a' }], { version: 2 });
    expect(() => untilDone((cursor) => chain.task.step(0, other, cursor, 10))).toThrow(
      MillraceError,
    );
  });
});
