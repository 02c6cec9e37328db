import { describe, expect, it } from 'vitest';
import {
  collectSink,
  count,
  type Flow,
  job,
  max,
  MillraceError,
  run,
  type Stream,
  tumbling,
} from '../../../src/index.js';

interface Step {
  readonly n: number;
  readonly round: number | null;
}

/** What a job gives, with three subtasks on this thread and frames of two rows. */
async function rowsOf<T extends object>(build: (flow: Flow) => Stream<T>): Promise<readonly T[]> {
  const found = collectSink<T>();
  const definition = job('loops', (flow) => build(flow).to(found));
  const settings = { 'exchange.batchRows': 2 };
  await run(definition, { parallelism: 3, runtime: 'in-thread', settings });
  return found.rows;
}

const byText = (a: object, b: object): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);

/** One less in each round; says in which round a record was seen. */
const countingDown = (loop: Stream<Step>): Stream<Step> =>
  loop.process<Step>(() => ({
    processElement({ n }, { timestamp, collect }) {
      collect({ n: n - 1, round: timestamp });
    },
  }));
const start = (flow: Flow, ...numbers: readonly number[]): Stream<Step> =>
  flow.from(numbers.map((n): Step => ({ n, round: null })));

describe('iterate', () => {
  it('goes round until nothing is fed back; event time is the round', async () => {
    const rows = await rowsOf((flow) =>
      start(flow, 1, 3).iterate((loop) => {
        const next = countingDown(loop);
        return { feedback: next.filter(({ n }) => n > 0), output: next };
      }),
    );
    expect(rows.toSorted(byText)).toEqual([
      { n: 0, round: 0 },
      { n: 0, round: 2 },
      { n: 1, round: 1 },
      { n: 2, round: 0 },
    ]);
  });

  it('ends after its iterations, and drops what is fed back then', async () => {
    for (const maxIterations of [1, 4]) {
      const rows = await rowsOf((flow) =>
        start(flow, 100).iterate(
          (loop) => {
            const next = countingDown(loop);
            return { feedback: next, output: next };
          },
          { maxIterations },
        ),
      );
      expect(rows.map(({ round }) => round)).toEqual(
        Array.from({ length: maxIterations }, (_, round) => round),
      );
    }
  });

  it('ends at once when it is given nothing, or feeds nothing back', async () => {
    const through = (loop: Stream<Step>) => ({ feedback: loop.filter(() => false), output: loop });
    expect(await rowsOf((flow) => start(flow).iterate(through))).toEqual([]);
    expect(await rowsOf((flow) => start(flow, 5).iterate(through))).toHaveLength(1);
  });

  it('holds all records of a round in a window of one', async () => {
    // The greatest number and how many there are, by one subtask, whose result three heads are fed.
    const rows = await rowsOf((flow) =>
      start(flow, 7, 2, 5).iterate<{ readonly n: number; readonly rows: number }>((loop) => {
        const rounds = loop
          .windowAll(tumbling(1))
          .aggregate({ n: max('n'), rows: count() })
          .map(({ n, rows }) => ({ n: n ?? 0, rows }));
        const next = rounds.flatMap(({ n }) =>
          Array.from({ length: n > 3 ? 2 : 0 }, () => ({ n: n - 2, round: null })),
        );
        return { feedback: next, output: rounds };
      }),
    );
    expect(rows).toEqual([
      { n: 7, rows: 3 },
      { n: 5, rows: 2 },
      { n: 3, rows: 2 },
    ]);
  });

  it('may follow another loop, and be fed by what stands beside it', async () => {
    const rows = await rowsOf((flow) => {
      const once = (loop: Stream<Step>) => {
        const next = countingDown(loop);
        return {
          feedback: next.filter(({ n }) => n > 10),
          output: next.filter(({ n }) => n <= 10),
        };
      };
      const more = start(flow, 12);
      return start(flow, 20)
        .iterate(once, { name: 'first' })
        .iterate((loop) => once(loop.union(more)), { name: 'second' });
    });
    expect(rows.map(({ n }) => n).toSorted((a, b) => a - b)).toEqual([9, 10]);
  });

  it('fails when records are fed back after the end of the input', async () => {
    const failed = rowsOf((flow) =>
      start(flow, 3).iterate((loop) => {
        const last = loop
          .keyBy('n')
          .aggregate({ rows: count() })
          .map(({ n }): Step => ({ n, round: null }));
        return { feedback: last, output: last };
      }),
    );
    const error: unknown = await failed.catch((thrown: unknown) => thrown);
    if (!MillraceError.is(error)) throw error;
    expect(error.code).toBe('LOOP_ENDED');
    expect(error.message).toContain('"iterate"');
  });
});
