import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../../src/base/errors.js';
import { explainText } from '../../../src/graph/explain-text.js';
import { col, type Flow, job, run } from '../../../src/index.js';
import { type Flight, FLIGHT_SCHEMA, planOf, sink, source } from '../graph/graph-fixtures.js';

const flights = (flow: Flow, bounded = true) =>
  flow.from(source<Flight>({ bounded }), { schema: FLIGHT_SCHEMA });

function failure(build: (flow: Flow) => unknown): MillraceError {
  try {
    job('sort', (flow) => {
      build(flow);
    }).build({});
  } catch (error) {
    if (MillraceError.is(error)) return error;
  }
  throw new Error('Nothing was thrown.');
}

describe('sortBy', () => {
  it('says in the plan by what it sorts, and reads nothing else', () => {
    const plan = planOf((flow) => {
      flights(flow)
        .sortBy({ delay: 'desc', origin: 'asc' }, { uid: 'sorted' })
        .select('origin')
        .to(sink());
    });
    const text = explainText(plan).replaceAll(/\s+/g, ' ');
    expect(text).toContain('sorted by delay descending, origin');
    expect(text).toContain('reads columns delay, origin ');
  });

  it('sorts the records of a key by an expression', () => {
    const plan = planOf((flow) => {
      const late = col('delay').gt(0);
      flights(flow).keyBy('origin').sortBy(late, { descending: true, uid: 'late' }).to(sink());
    });
    const text = explainText(plan).replaceAll(/\s+/g, ' ');
    expect(text).toContain('by origin, each sorted by delay > 0 descending');
  });

  it.each<[string, unknown, object]>([
    ['no order', undefined, {}],
    ['an empty name', '', {}],
    ['an empty order', {}, {}],
    ['a way that is none', { delay: 'down' }, {}],
    ['ways twice', { delay: 'asc' }, { descending: true }],
    ['a descending that is no boolean', 'delay', { descending: 'yes' }],
  ])('refuses %s', (_, by, options) => {
    const error = failure((flow) => flights(flow).sortBy(by as never, options as never));
    expect(error.code).toBe('OPTION_INVALID');
    expect(error.where.operator).toBe('sortBy');
  });

  it('refuses an option that there is not, with the nearest name', () => {
    const error = failure((flow) => flights(flow).sortBy('delay', { decending: true } as never));
    expect(error).toMatchObject({ code: 'OPTION_UNKNOWN' });
    expect(error.advice).toContain('descending');
  });

  it('refuses inputs without an end', () => {
    const error = failure((flow) => flights(flow, false).sortBy('delay'));
    expect(error.code).toBe('FEATURE_UNSUPPORTED');
  });

  it('refuses fields that are not there, and types without an order', () => {
    const plan = (by: string) => () =>
      planOf((flow) => {
        const schema = {
          shape: 'object',
          fields: [
            {
              name: 'tags',
              type: { kind: 'list', item: { type: { kind: 'utf8' }, nullable: false } },
              nullable: false,
              optional: false,
            },
          ],
        } as const;
        flow
          .from(source<{ tags: string[] }>({ bounded: true }), { schema })
          .sortBy(by as never)
          .to(sink());
      });
    expect(plan('tag')).toThrow(expect.objectContaining({ code: 'FIELD_UNKNOWN' }));
    expect(plan('tags')).toThrow(expect.objectContaining({ code: 'TYPE_MISMATCH' }));
  });

  it('is refused inside of a loop, which would wait for it for ever', () => {
    const plan = () =>
      planOf((flow) => {
        flow
          .from([1, 2, 3])
          .iterate((loop) => ({
            feedback: loop.sortBy('value').filter((n) => n < 0),
            output: loop,
          }))
          .to(sink());
      });
    expect(plan).toThrow(expect.objectContaining({ code: 'FEATURE_UNSUPPORTED' }));
  });

  it('is refused in a job that takes checkpoints', async () => {
    const definition = job('sorted', (flow) => {
      flow.from([3, 1, 2]).sortBy('value').to(sink());
    });
    await expect(
      run(definition, { settings: { 'execution.checkpointing.interval': '1s' } }),
    ).rejects.toMatchObject({ code: 'FEATURE_UNSUPPORTED', where: { operator: 'sortBy' } });
  });
});
