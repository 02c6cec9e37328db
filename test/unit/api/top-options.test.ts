import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../../src/base/errors.js';
import { type Flow, job } from '../../../src/index.js';
import { explainText } from '../../../src/graph/explain-text.js';
import { type Flight, FLIGHT_SCHEMA, planOf, sink, source } from '../graph/graph-fixtures.js';

const byOrigin = (flow: Flow, bounded = true) => flow.from(source({ bounded })).keyBy('origin');

function failure(build: (flow: Flow) => unknown): MillraceError {
  try {
    job('top', (flow) => {
      build(flow);
    }).build({});
  } catch (error) {
    if (MillraceError.is(error)) return error;
  }
  throw new Error('Nothing was thrown.');
}

describe('topN', () => {
  it('says in the plan what it keeps, and reads nothing else', () => {
    const plan = planOf((flow) => {
      byOrigin(flow)
        .topN(3, { orderBy: { delay: 'desc' }, ties: 'last', rank: 'place', uid: 'worst' })
        .select('origin', 'place')
        .to(sink());
    });
    const text = explainText(plan).replaceAll(/\s+/g, ' ');
    expect(text).toContain(
      'first 3 by origin in order of delay descending, the newest of equal ones first, ranked as ' +
        'place, once per key',
    );
    expect(text).toContain('reads columns delay, origin ');
  });

  it.each<[string, number, object]>([
    ['n', 0, { orderBy: { delay: 'asc' } }],
    ['n', 1001, { orderBy: { delay: 'asc' } }],
    ['n', 1.5, { orderBy: { delay: 'asc' } }],
    ['orderBy', 1, {}],
    ['orderBy', 1, { orderBy: {} }],
    ['orderBy', 1, { orderBy: { delay: 'down' } }],
    ['ties', 1, { orderBy: { delay: 'asc' }, ties: 'any' }],
    ['rank', 1, { orderBy: { delay: 'asc' }, rank: '' }],
  ])('refuses a wrong %s', (field, n, options) => {
    const error = failure((flow) => byOrigin(flow).topN(n, options as never));
    expect(error.code).toBe('OPTION_INVALID');
    expect(error.where.field).toBe(field);
  });

  it('refuses inputs without an end', () => {
    const error = failure((flow) => byOrigin(flow, false).topN(1, { orderBy: { delay: 'asc' } }));
    expect(error.code).toBe('FEATURE_UNSUPPORTED');
  });

  it('refuses fields that are not there, and ranks that are', () => {
    const plan = (options: object) => () =>
      planOf((flow) => {
        flow
          .from(source<Flight>(), { schema: FLIGHT_SCHEMA })
          .keyBy('origin')
          .topN(1, options as never)
          .to(sink());
      });
    expect(plan({ orderBy: { dealy: 'asc' } })).toThrow(/dealy/);
    expect(plan({ orderBy: { delay: 'asc' }, rank: 'delay' })).toThrow(/field "delay"/);
  });

  it('gives records of the type that they have, with the rank', () => {
    job('top', (flow) => {
      const ranked = byOrigin(flow).topN(1, { orderBy: { delay: 'asc' }, rank: 'place' });
      ranked.map(({ place, delay }) => ({ sum: place + delay })).to(sink());
      byOrigin(flow)
        .topN(1, { orderBy: { delay: 'asc' } })
        .map((flight: Flight) => flight)
        .to(sink());
      // @ts-expect-error No field 'dealy'.
      byOrigin(flow).topN(1, { orderBy: { dealy: 'asc' } });
    }).build({});
  });
});
