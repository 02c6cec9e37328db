import { describe, expect, it } from 'vitest';
import type { Stream } from '../../../src/api/stream.js';
import { MillraceError } from '../../../src/base/errors.js';
import { explainText } from '../../../src/graph/explain-text.js';
import { planJob } from '../../../src/graph/plan.js';
import type { LookupFunctions } from '../../../src/operator/async/async-function.js';
import { graphOf, sink, source } from '../graph/graph-fixtures.js';

type Flight = { origin: string; delay: number };
const lookup = async (key: unknown): Promise<unknown> => key;

function errorOf(options: unknown): MillraceError {
  try {
    graphOf((flow) => void flow.from(source()).lookupJoin(options as never));
  } catch (error) {
    if (MillraceError.is(error)) return error;
    throw error;
  }
  throw new Error('Nothing was thrown.');
}

function specOf(options: object): unknown {
  const { nodes } = graphOf((flow) => {
    const left = flow.from(source()) as unknown as Stream<Flight>;
    left
      .lookupJoin({ key: 'origin', lookup: async () => ({ city: 'x' }), ...options })
      .apply((flight, airport) => [flight.delay, airport])
      .to(sink());
  });
  const node = nodes.find(({ kind }) => kind === 'operator');
  return node?.kind === 'operator' ? node.spec : null;
}

describe('options of a look-up join', () => {
  it.each([
    [null, 'OPTION_INVALID', undefined, 'lookupJoin({ key'],
    [{ lookup }, 'OPTION_INVALID', undefined, 'lookupJoin({ key'],
    [{ key: 'origin' }, 'OPTION_INVALID', undefined, 'lookupJoin({ key'],
    [{ key: 3, lookup }, 'OPTION_INVALID', 'key', 'an array of fields'],
    [{ key: [], lookup }, 'OPTION_INVALID', undefined, "lookupJoin('origin')"],
    [{ key: 'origin', lookup: 3 }, 'OPTION_INVALID', 'lookup', 'a function'],
    [{ key: 'a', lookup, type: 'full' }, 'OPTION_INVALID', 'type', "'inner' or 'left'"],
    [{ key: 'a', lookup, tpe: 'left' }, 'OPTION_UNKNOWN', 'tpe', 'Did you mean "type"?'],
    [{ key: 'a', lookup, outputMode: 'any' }, 'OPTION_INVALID', 'outputMode', "'ordered'"],
    [{ key: 'a', lookup, capacity: 0 }, 'OPTION_INVALID', 'capacity', 'a whole number'],
    [{ key: 'a', lookup, retry: { delay: 1 } }, 'OPTION_INVALID', 'retry', 'maxAttempts: 3'],
    [{ key: 'a', lookup, cache: true }, 'OPTION_INVALID', 'cache', 'maxRows: 10_000'],
    [{ key: 'a', lookup, cache: {} }, 'OPTION_INVALID', 'cache', 'maxRows: 10_000'],
    [
      { key: 'a', lookup, cache: { maxRow: 3 } },
      'OPTION_UNKNOWN',
      'cache.maxRow',
      'Did you mean "maxRows"?',
    ],
    [{ key: 'a', lookup, cache: { maxRows: 0 } }, 'OPTION_INVALID', 'cache.maxRows', 'from 1 on'],
    [
      { key: 'a', lookup, cache: { maxBytes: 'lots' } },
      'OPTION_INVALID',
      'cache.maxBytes',
      "'64mb'",
    ],
    [
      { key: 'a', lookup, cache: { maxRows: 1, expireAfterWrite: 0 } },
      'OPTION_INVALID',
      'cache.expireAfterWrite',
      'above 0',
    ],
  ])('%j are refused', (options, code, field, advice) => {
    const error = errorOf(options);
    expect(error).toMatchObject({ code, where: { operator: 'lookupJoin' } });
    expect(error.where.field).toBe(field);
    expect(error.advice).toContain(advice);
  });

  it('have the defaults of Flink', () => {
    expect(specOf({})).toMatchObject({
      kind: 'asyncWait',
      name: 'lookupJoin',
      order: 'ordered',
      capacity: 100,
      timeoutMs: 180_000,
      retry: null,
      functions: { cache: null, isOuter: false, key: 'origin' },
    });
  });

  it('are those of the operator', () => {
    const cache = { maxBytes: '1mb', expireAfterAccess: '2s', cacheMissingKey: false };
    const options = { type: 'left', outputMode: 'allowUnordered', timeout: 0, cache };
    expect(specOf(options)).toMatchObject({
      order: 'unordered',
      timeoutMs: null,
      functions: {
        isOuter: true,
        cache: {
          rowsMax: null,
          bytesMax: 1024 ** 2,
          expireAfterWriteMs: null,
          expireAfterAccessMs: 2000,
          keepsMissing: false,
        } satisfies LookupFunctions['cache'],
      },
    });
  });
});

describe('a look-up join in a plan', () => {
  const planOf = (build: (left: Stream<Flight>) => Stream<unknown>): ReturnType<typeof planJob> =>
    planJob(
      graphOf((flow) => build(flow.from(source()) as unknown as Stream<Flight>).to(sink())),
      { parallelism: 1, maxParallelism: null },
    );
  const airport = async (): Promise<{ city: string }> => ({ city: `Ulm` });

  it('has only the fields brought along that it reads', () => {
    const applied = planOf((left) =>
      left
        .lookupJoin({ key: ({ origin }) => origin, lookup: airport })
        .apply((flight, { city }) => `${flight.delay} ${city}`),
    );
    expect(applied.edges[0].columns?.toSorted()).toEqual(['delay', 'origin']);
    const selected = planOf((left) =>
      left.lookupJoin({ key: ['origin'], lookup: airport }).select(['delay'], { from: 'city' }),
    );
    expect(selected.edges[0].columns?.toSorted()).toEqual(['delay', 'origin']);
  });

  it('is explained', () => {
    const plan = planOf((left) =>
      left
        .lookupJoin({ key: 'origin', lookup: airport, type: 'left', cache: { maxRows: 10 } })
        .select(['delay'], { from: 'city' }),
    );
    expect(explainText(plan).replaceAll(/\s+/g, ' ')).toContain(
      'ordered, at most 100 at a time, each within 3 m 0 s: left join by origin, lookup async () => ({ city: `Ulm` ' +
        '}), cache maxRows 10, select of the record delay, of the row from = city',
    );
  });
});
