import { describe, expect, it } from 'vitest';
import { count, max, sum } from '../../../src/api/aggregates.js';
import { col, lit } from '../../../src/operator/expression-builder.js';
import { csv } from '../../../src/api/files.js';
import type { Flow } from '../../../src/api/flow.js';
import { MillraceError } from '../../../src/base/errors.js';
import { checkSchemas } from '../../../src/graph/schema-check.js';
import { schemaName } from '../../../src/record/schema.js';
import type { Stream } from '../../../src/api/stream.js';
import { FLIGHT_SCHEMA, graphOf, planOf, schema, sink, source } from './graph-fixtures.js';

/**
 * Builds on records of unknown type, since the compiler would refuse the mistakes of these tests.
 */
const errorOf = (build: (flights: Stream<unknown>) => void): MillraceError => {
  try {
    planOf((flow) => build(flow.from(source<unknown>(), { schema: FLIGHT_SCHEMA })));
  } catch (error) {
    if (MillraceError.is(error)) return error;
    throw error;
  }
  throw new Error('Nothing was thrown.');
};

describe('fields that do not exist', () => {
  it.each([
    ['a key', (s: Stream<unknown>) => s.keyBy('orgin').count().to(sink()), 'orgin', 'origin'],
    ['distinct', (s: Stream<unknown>) => s.distinct('orgin').to(sink()), 'orgin', 'origin'],
    ['select', (s: Stream<unknown>) => s.select('dealy').to(sink()), 'dealy', 'delay'],
    ['a filter', (s: Stream<unknown>) => s.filter(col('dealy').gt(1)).to(sink()), 'dealy', 'delay'],
    ['explode', (s: Stream<unknown>) => s.explode('tgas').to(sink()), 'tgas', 'tags'],
    [
      'an aggregate',
      (s: Stream<unknown>) =>
        s
          .keyBy('origin')
          .aggregate({ n: sum('dealy') })
          .to(sink()),
      'dealy',
      'delay',
    ],
    ['a sink', (s: Stream<unknown>) => s.to(sink({ columns: ['dat'] })), 'dat', 'date'],
    ['buckets', (s: Stream<unknown>) => s.to(csv('out', { bucketBy: 'dat' })), 'dat', 'date'],
  ])('in %s are refused with the nearest name and the line', (_what, build, wrong, right) => {
    const error = errorOf(build);
    expect(error.code).toBe('FIELD_UNKNOWN');
    expect(error.message).toMatch(/^Operator ".*" at \S+schema-check\.test\.ts:\d+:\d+: /);
    expect(error.message).toContain(`"${wrong}"`);
    expect(`${error.message} ${error.advice}`).toContain(`"${right}"`);
    expect(error.where.line).toBeGreaterThan(0);
  });

  it('are found after operators whose results are known', () => {
    const error = errorOf((flights) => {
      flights
        .filter(() => true)
        .select({ from: 'origin', minutes: 'delay' })
        // The compiler knows the new fields too, and has to be talked out of it.
        .keyBy('origin' as 'from')
        .count()
        .to(sink());
    });
    expect(error.message).toContain('there is no field "origin"');
    expect(error.advice).toBe('Known: from, minutes.');
  });

  it('are nobody’s business after a function whose results are unknown', () => {
    expect(() =>
      planOf((flow) => {
        flow
          .from(source<unknown>(), { schema: FLIGHT_SCHEMA })
          .map((f) => f)
          .keyBy('whatever')
          .count()
          .to(sink());
      }),
    ).not.toThrow();
  });

  it('are found again after a function whose results are declared', () => {
    const error = errorOf((flights) => {
      flights
        .map((f) => f, { returns: schema({ late: 'bool' }) })
        .keyBy('origin')
        .count()
        .to(sink());
    });
    expect(error.code).toBe('FIELD_UNKNOWN');
  });

  it('are found by schemas that sources report later', () => {
    const graph = graphOf((flow) => {
      flow.from(source<unknown>(), { uid: 'in' }).keyBy('orgin').count().to(sink());
    });
    expect(() => checkSchemas(graph)).not.toThrow();
    expect(() => checkSchemas(graph, new Map([['in', FLIGHT_SCHEMA]]))).toThrow(
      expect.objectContaining({ code: 'FIELD_UNKNOWN' }),
    );
  });
});

describe('types', () => {
  it('a list is no key', () => {
    const error = errorOf((flights) => flights.keyBy('tags').count().to(sink()));
    expect(error.code).toBe('KEY_UNSUPPORTED');
    expect(error.message).toContain('key "tags" has type list<utf8>');
  });

  it('an expression that does not fit is refused with the operator', () => {
    const error = errorOf((flights) => flights.filter(col('origin').gt(5)).to(sink()));
    expect(error.code).toBe('TYPE_MISMATCH');
    expect(error.message).toMatch(/^Operator "filter" at /);
  });

  it('are walked forward, unions merged', () => {
    const build = (flow: Flow): void => {
      const one = flow.from(source<unknown>(), { schema: schema({ a: 'number', b: 'utf8' }) });
      const two = flow.from(source<unknown>(), { schema: schema({ a: 'number', c: 'bool' }) });
      one
        .union(two)
        .select({ twice: col('a').mul(2) })
        .to(sink());
      one.keyBy('b').aggregate({ n: count() }).to(sink());
    };
    const names = checkSchemas(graphOf(build)).map((known) =>
      known === null ? null : schemaName(known),
    );
    expect(names[2]).toBe('{ twice: number }');
    expect(names[4]).toMatch(/^\{ b: utf8, n: /);
  });

  describe('of united streams', () => {
    const twoShapes = (read: (both: Stream<unknown>) => void) => (): unknown =>
      planOf((flow) => {
        const one = flow.from(source<unknown>(), {
          schema: schema({ a: 'number', b: 'utf8' }),
        });
        const two = flow.from(source<unknown>(), { schema: schema({ a: 'number' }) });
        read(one.union(two));
      });

    it('must have what is read behind the union, also further on', () => {
      const readings = [
        twoShapes((both) => both.filter(col('b').isNotNull()).to(sink())),
        twoShapes((both) => both.filter(col('a').gt(0)).filter(col('b').isNotNull()).to(sink())),
        twoShapes((both) => both.keyBy('b').count().to(sink())),
        twoShapes((both) =>
          both
            .keyBy('a')
            .aggregate({ last: max('b') })
            .to(sink()),
        ),
      ];
      for (const reading of readings) {
        expect(reading).toThrow(
          expect.objectContaining({
            code: 'FIELD_UNKNOWN',
            message: expect.stringContaining('has no field "b"'),
            advice: expect.stringContaining('withColumn("b", lit(null))'),
          }),
        );
      }
    });

    it('may differ in what nobody reads, and in what is made up for', () => {
      expect(twoShapes((both) => both.keyBy('a').count().to(sink()))).not.toThrow();
      expect(() =>
        planOf((flow) => {
          const one = flow.from(source<unknown>(), { schema: schema({ a: 'number', b: 'utf8' }) });
          const two = flow
            .from(source<unknown>(), { schema: schema({ a: 'number' }) })
            .withColumn('b', lit(null));
          one.union(two).filter(col('b').isNotNull()).to(sink());
        }),
      ).not.toThrow();
    });
  });
});
