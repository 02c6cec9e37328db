/**
 * Aggregations, windows and joins whose jobs go on at other parallelisms from checkpoints that hold records which they
 * had overtaken, raw or added up: what comes out is what comes without a stop.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import {
  aggregator,
  avg,
  count,
  defineSource,
  type JobDefinition,
  job,
  max,
  ndjson,
  run,
  session,
  sliding,
  start,
  sum,
  tumbling,
} from 'millrace';
import { expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.js';

interface Row {
  readonly key: number;
  readonly n: number;
  readonly at: number;
}

const SHAPES = ['all', 'tumbling', 'sliding', 'session', 'union', 'join', 'interval'] as const;
type Shape = (typeof SHAPES)[number];

/** What receivers do not get ahead of, so that records wait for them. */
const PAUSE_MS = 1;

function pause(): void {
  const until = systemClock.monotonicMs() + PAUSE_MS;
  while (systemClock.monotonicMs() < until);
}

const AGGREGATES = {
  rows: count(),
  total: sum('n'),
  mean: avg('n'),
  most: max('at'),
  slow: aggregator<Row, { sum: number }, number>({
    create: () => ({ sum: 0 }),
    add: (so, { n }) => {
      pause();
      return { sum: so.sum + n };
    },
    merge: (a, b) => {
      pause();
      return { sum: a.sum + b.sum };
    },
    result: (so) => so.sum,
  }),
};

const WINDOWS = {
  tumbling: tumbling('100ms'),
  sliding: sliding('200ms', '100ms'),
  session: session<Row>('25ms'),
} as const;

/** The job, over two streams of the rows; it waits behind a share of each split; null: it reads all and ends. */
function jobOf(
  shape: Shape,
  splits: readonly (readonly Row[])[],
  share: number | null,
): JobDefinition<unknown> {
  const source = defineSource<Row, number>({
    name: 'rows',
    interleave: true,
    plan: () => splits.map((_, data) => ({ id: `split-${data}`, data })),
    async *read({ data }, position, { signal }) {
      const rows = splits[data];
      yield* rows.slice(position, Math.floor(rows.length * (share ?? 1)));
      if (share === null || signal.aborted) return;
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    },
  });
  return job('overtaken', (flow) => {
    const timed = (uid: string) =>
      flow
        .from(source, { uid })
        .assignTimestamps('at', { uid: `times-${uid}`, outOfOrderness: '1h' });
    const output = ndjson<object>('out', { ifExists: 'append' });
    const uid = { uid: shape };
    const rows = timed('rows');
    if (shape === 'join' || shape === 'interval') {
      const [left, right] = [rows.keyBy('key'), timed('others').keyBy('key')];
      const pair = (a: Row, b: Row) => {
        pause();
        return { key: a.key, a: a.n, b: b.n };
      };
      const pairs =
        shape === 'join'
          ? left.join(right).window(tumbling('20ms')).apply(pair, uid)
          : left
              .intervalJoin(right)
              .between('-5ms', '5ms')
              .process((a, b, { collect }) => collect(pair(a, b)), uid);
      pairs.to(output, { uid: 'out' });
      return;
    }
    const keyed = (shape === 'union' ? rows.union(timed('others')) : rows).keyBy('key');
    const results =
      shape === 'all' || shape === 'union'
        ? keyed.aggregate(AGGREGATES, uid)
        : keyed.window(WINDOWS[shape]).aggregate(AGGREGATES, uid);
    results.to(output, { uid: 'out' });
  });
}

function outputIn(directory: string): readonly string[] {
  const parts = readdirSync(join(directory, 'out')).filter((name) => name.startsWith('part-'));
  const lines = parts.flatMap((name) =>
    readFileSync(join(directory, 'out', name), 'utf8')
      .trim()
      .split('\n'),
  );
  return lines
    .map((line) => JSON.stringify(Object.entries(JSON.parse(line)).toSorted()))
    .toSorted();
}

const row = fc.record({ key: fc.nat(6), n: fc.integer({ min: -99, max: 99 }), after: fc.nat(12) });
/** Subtasks of one life after the other; one subtask, which has another plan, is often among them. */
const several = fc.integer({ min: 2, max: 5 });
const widthsOf = fc.oneof(
  fc.tuple(several, fc.constant(1), several),
  fc.tuple(fc.constant(1), several, fc.constant(1)),
  fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 2, maxLength: 3 }),
);
const splitsOf = fc
  .array(fc.array(row, { minLength: 30, maxLength: 60 }), { minLength: 1, maxLength: 2 })
  .map((lists) =>
    lists.map((list) => {
      let at = 0;
      return list.map(({ key, n, after }): Row => {
        at += after;
        return { key, n, at };
      });
    }),
  );

/** Runs it until a checkpoint holds records that it has overtaken; whether one did. */
async function untilOvertaken(
  definition: JobDefinition<unknown>,
  parallelism: number,
  baseDirectory: string,
  settings: Readonly<Record<string, unknown>>,
): Promise<boolean> {
  const execution = await start(definition, {
    runtime: 'in-thread',
    parallelism,
    maxParallelism: 16,
    baseDirectory,
    settings,
  });
  const finished = execution.finished.then(
    () => null,
    (error: unknown) => error,
  );
  let [hasOvertaken, checkpoints, cancelled] = [false, 0, false];
  for await (const event of execution.events()) {
    if (event.type !== 'checkpoint' || event.report.status !== 'completed' || cancelled) continue;
    hasOvertaken = event.report.inFlightBytes > 0;
    // What has not waited by then has all been processed.
    if (!hasOvertaken && ++checkpoints < 3) continue;
    cancelled = true;
    execution.cancel();
  }
  const error = await finished;
  if (!cancelled) throw error ?? new Error('It ended by itself.');
  return hasOvertaken;
}

/** Over all shapes, how often jobs with records under way went on with fewer and with more subtasks. */
const met = { narrower: 0, wider: 0 };

it.each(SHAPES)('%s goes on at any parallelism with what was overtaken', async (shape) => {
  await fc.assert(
    fc.asyncProperty(
      splitsOf,
      widthsOf,
      fc.constantFrom(1, 2, 7),
      fc.constantFrom(1, 3, 1000),
      async (splits, widths, batchRows, preAggregateKeys) => {
        const directory = mkdtempSync(join(tmpdir(), 'millrace-rescaled-overtaken-'));
        const settings = {
          'exchange.batchRows': batchRows,
          'aggregate.preAggregateKeys': preAggregateKeys,
          'execution.checkpointing.interval': '10ms',
          'execution.checkpointing.dir': 'checkpoints',
          'execution.checkpointing.unaligned.enabled': true,
          'execution.checkpointing.externalizedCheckpointRetention': 'retainOnCancellation',
          'execution.stateRecovery.path': 'latest',
        };
        try {
          const whole = join(directory, 'whole');
          await run(jobOf(shape, splits, null), {
            runtime: 'in-thread',
            parallelism: 1,
            baseDirectory: whole,
          });
          const stages = join(directory, 'stages');
          for (const [index, width] of widths.slice(0, -1).entries()) {
            const endless = jobOf(shape, splits, (index + 1) / widths.length);
            const next = widths[index + 1];
            const hasOvertaken = await untilOvertaken(endless, width, stages, settings);
            if (hasOvertaken && next < width) met.narrower++;
            if (hasOvertaken && next > width) met.wider++;
          }
          await run(jobOf(shape, splits, null), {
            runtime: 'in-thread',
            parallelism: widths.at(-1) ?? 1,
            maxParallelism: 16,
            baseDirectory: stages,
            settings,
          });
          expect(outputIn(stages)).toEqual(outputIn(whole));
        } finally {
          rmSync(directory, { recursive: true, force: true });
        }
      },
    ),
    { numRuns: 4, endOnFailure: true },
  );
});

it('met what is rare', () => {
  expect(met.narrower).toBeGreaterThan(0);
  expect(met.wider).toBeGreaterThan(0);
});
