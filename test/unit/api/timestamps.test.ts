import { describe, expect, it } from 'vitest';
import { job } from '../../../src/api/job.js';
import type { Flow } from '../../../src/api/flow.js';
import { ingestionTime, type WatermarkOptions } from '../../../src/api/timestamps.js';
import { MillraceError } from '../../../src/base/errors.js';
import { explainText } from '../../../src/graph/explain-text.js';
import { col } from '../../../src/operator/expression-builder.js';
import { type Flight, FLIGHT_SCHEMA, planOf, sink, source } from '../graph/graph-fixtures.js';

/** The description of the only operator of a job. */
function specOf(build: (flow: Flow) => void) {
  const node = job('timed', build).build({}).nodes[1];
  if (node?.kind !== 'operator' || node.spec.kind !== 'assignTimestamps') throw new Error('None.');
  return node.spec;
}

const assigned = (options: WatermarkOptions<Flight>) =>
  specOf((flow) => flow.from(source()).assignTimestamps('date', options).to(sink()));

function failure(call: () => unknown): MillraceError {
  try {
    call();
  } catch (error) {
    if (MillraceError.is(error)) return error;
  }
  throw new Error('Nothing was thrown.');
}

describe('assignTimestamps', () => {
  it('takes a field, an expression, a function or the clock', () => {
    const origin = (build: (flow: Flow) => void) => specOf(build).timestamp.from;
    const fn = (flight: Flight): Date => flight.date;
    expect([
      origin((flow) => flow.from(source()).assignTimestamps('date').to(sink())),
      origin((flow) => flow.from(source()).assignTimestamps(col('delay').mul(60_000)).to(sink())),
      origin((flow) => flow.from(source()).assignTimestamps(fn).to(sink())),
      origin((flow) => flow.from(source()).assignTimestamps(ingestionTime()).to(sink())),
      origin((flow) => flow.from(source()).assignWatermarks().to(sink())),
    ]).toEqual(['expression', 'expression', 'function', 'clock', 'record']);
  });

  it('makes watermarks of the latest time unless it is told otherwise', () => {
    const punctuated = (): number => 1;
    const generator = () => ({ onRecord: () => null });
    expect(assigned({}).watermarks).toEqual({
      generation: { kind: 'bounded', outOfOrdernessMs: 0 },
      idleTimeoutMs: null,
      alignment: null,
    });
    expect(assigned({ outOfOrderness: '2h', idleTimeout: 500 }).watermarks).toMatchObject({
      generation: { kind: 'bounded', outOfOrdernessMs: 7_200_000 },
      idleTimeoutMs: 500,
    });
    expect(assigned({ watermarks: 'none' }).watermarks.generation).toEqual({ kind: 'none' });
    expect(assigned({ watermarks: { punctuated } }).watermarks.generation).toEqual({
      kind: 'punctuated',
      fn: punctuated,
    });
    expect(assigned({ watermarks: { generator } }).watermarks.generation).toEqual({
      kind: 'custom',
      create: generator,
    });
    expect(assigned({ alignment: { group: 'g', maxDrift: '5m' } }).watermarks.alignment).toEqual({
      group: 'g',
      maxDriftMs: 300_000,
      updateIntervalMs: 1000,
    });
  });

  it.each<[string, object, string]>([
    ['outOfOrderness', { outOfOrderness: -1 }, 'OPTION_INVALID'],
    ['idleTimeout', { idleTimeout: 'soon' }, 'OPTION_INVALID'],
    ['watermarks', { watermarks: { punctuated: 5 } }, 'OPTION_INVALID'],
    ['alignment', { alignment: { group: 'g' } }, 'OPTION_INVALID'],
    ['outOfOrdernes', { outOfOrdernes: '5s' }, 'OPTION_UNKNOWN'],
  ])('refuses a bad %s', (field, options, code) => {
    const error = failure(() => assigned(options));
    expect([error.code, error.where.field]).toEqual([code, field]);
  });

  it('refuses two ways of making watermarks, and what tells no time', () => {
    const both = { outOfOrderness: '1s', watermarks: 'none' } as const;
    expect(failure(() => assigned(both)).message).toContain('two ways to make watermarks');
    const wrong = (flow: Flow): void => {
      flow
        .from(source())
        .assignTimestamps(5 as never)
        .to(sink());
    };
    expect(failure(() => specOf(wrong)).code).toBe('OPTION_INVALID');
  });

  it('is checked against the schema when the job is planned', () => {
    const planned = (field: string) => () =>
      planOf((flow) => {
        flow
          .from(source(), { schema: FLIGHT_SCHEMA })
          .assignTimestamps(field as never)
          .to(sink());
      });
    expect(failure(planned('origin')).code).toBe('TYPE_MISMATCH');
    expect(failure(planned('dat')).code).toBe('FIELD_UNKNOWN');
    expect(planned('date')).not.toThrow();
  });

  it('is told by explain, and part of the fingerprint', () => {
    const planned = (options: WatermarkOptions<Flight>) =>
      planOf((flow) => {
        flow.from(source()).assignTimestamps('date', options).to(sink());
      });
    const text = explainText(planned({ outOfOrderness: '2h', idleTimeout: '1min' }));
    expect(text).toMatch(/event time = date, out of order by at most 2 h 0 m,\s+idle after 1 m/);
    expect(planned({ outOfOrderness: '2h' }).hash).not.toBe(planned({ outOfOrderness: '3h' }).hash);
    const marks = (fn: () => number) => planned({ watermarks: { punctuated: fn } }).hash;
    expect(marks(() => 1)).not.toBe(marks(() => 2));
  });

  it('aligns only where it is chained to the source that it would hold back', () => {
    const alignment = { group: 'g', maxDrift: '5m' } as const;
    const planned = (parallelism: number) => () =>
      planOf((flow) => {
        flow
          .from(source(), { parallelism: 2 })
          .assignTimestamps('date', { alignment, parallelism })
          .to(sink());
      });
    expect(planned(2)).not.toThrow();
    const error = failure(planned(3));
    expect(error.code).toBe('GRAPH_INVALID');
    expect(error.message).toContain('not in the chain of a source');
  });
});
