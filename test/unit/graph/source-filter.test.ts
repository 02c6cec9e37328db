import { describe, expect, it } from 'vitest';
import type { Flow } from '../../../src/api/flow.js';
import type { Stream } from '../../../src/api/stream.js';
import { explainText } from '../../../src/graph/explain-text.js';
import { type Col, col, lit } from '../../../src/operator/expression-builder.js';
import { type Flight, planOf, sink, source } from './graph-fixtures.js';

const files = { filters: true };

function filterOf(build: (flights: Stream<Flight>) => void, parts: object = files) {
  const plan = planOf((flow: Flow) => build(flow.from(source(parts))));
  return plan.vertices[0]?.source?.filter;
}

/** What is pushed into the source of one condition. */
function pushed(condition: Col<boolean>) {
  return filterOf((flights) => void flights.filter(condition).to(sink()));
}

const origin = (...values: unknown[]) => ({ column: 'origin', values });

describe('the filter of a source', () => {
  it('is the values that a condition compares a column with', () => {
    expect(pushed(col('origin').eq('JFK'))).toEqual(origin('JFK'));
    expect(pushed(lit('JFK').eq(col('origin')))).toEqual(origin('JFK'));
    expect(pushed(col('origin').in('JFK', 'LAX', 'JFK'))?.values).toContain('LAX');
    expect(pushed(col('delay').eq(5).and(col('distance').gt(1)))).toEqual({
      column: 'delay',
      values: [5],
    });
    expect(pushed(col('origin').eq('JFK').or(col('origin').in('LAX', 'SFO')))).toEqual(
      origin('JFK', 'LAX', 'SFO'),
    );
  });

  it('is nothing where rows of other values may be wanted, or make a condition fail', () => {
    const two = col('origin').eq('JFK').or(col('destination').eq('JFK'));
    expect(pushed(two)).toBeNull();
    expect(pushed(col('origin').ne('JFK'))).toBeNull();
    expect(pushed(col('origin').eq('JFK').not())).toBeNull();
    expect(pushed(col('origin').eq(col('destination')))).toBeNull();
    expect(pushed(col('origin').lower().eq('jfk'))).toBeNull();
    expect(pushed(col('delay').gt(1).and(col('origin').eq('JFK')))).toBeNull();
    expect(pushed(col('date').eq(new Date(0)))).toBeNull();
    expect(pushed(col('delay').in(Array.from({ length: 17 }, (_, value) => value)))).toBeNull();
  });

  it('is what all that read the source have in common', () => {
    const both = (flights: Stream<Flight>, other: Col<boolean>) => {
      flights.filter(col('origin').eq('JFK')).to(sink());
      flights.filter(other).to(sink());
    };
    expect(filterOf((flights) => both(flights, col('origin').eq('LAX')))).toEqual(
      origin('JFK', 'LAX'),
    );
    expect(filterOf((flights) => both(flights, col('delay').eq(1)))).toBeNull();
    expect(
      filterOf((flights) => {
        flights.filter(col('origin').eq('JFK')).to(sink());
        flights.to(sink());
      }),
    ).toBeNull();
    expect(filterOf((flights) => void flights.filter((f) => f.delay === 1).to(sink()))).toBeNull();
    // Watermarks are those of all rows.
    expect(
      filterOf((flights) => {
        flights.assignTimestamps('date').filter(col('origin').eq('JFK')).to(sink());
      }),
    ).toBeNull();
  });

  it('is given to sources that take it, and told by explain', () => {
    const build = (flights: Stream<Flight>) =>
      void flights.filter(col('origin').in('JFK', 'LAX')).select('delay').to(sink());
    expect(filterOf(build, {})).toBeNull();
    const text = explainText(planOf((flow) => build(flow.from(source(files)))));
    expect(text).toContain('columns delay, origin of rows where origin is "JFK" or "LAX"');
  });
});
