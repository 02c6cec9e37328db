/**
 * Aggregations, with and without windows, whose jobs are stopped with savepoints and go on at other parallelisms, at
 * which they have a phase more or less: what comes out is what comes without a stop.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import {
  aggregator,
  avg,
  col,
  collectSink,
  count,
  defineSource,
  type JobDefinition,
  type JobExecution,
  job,
  max,
  min,
  run,
  session,
  sliding,
  start,
  sum,
  tumbling,
} from 'millrace';
import { expect, it } from 'vitest';

/** `value` may be a bigint as well. */
interface Row {
  readonly key: string;
  readonly value: number | null;
  readonly at: number;
}

const VALUES: readonly fc.Arbitrary<unknown>[] = [
  fc.integer({ min: -1000, max: 1000 }),
  // Sums of these do not depend on their order.
  fc.integer({ min: -8000, max: 8000 }).map((value) => value / 8),
  fc.bigInt({ min: -1000n, max: 1000n }),
];

/** Rows of up to three splits. */
const splits: fc.Arbitrary<readonly (readonly Row[])[]> = fc
  .tuple(fc.constantFrom(...VALUES), fc.boolean())
  .chain(([value, hasNulls]) => {
    const row = fc.record({
      key: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      value: hasNulls ? fc.option(value, { freq: 3 }) : value,
      after: fc.integer({ min: 0, max: 20 }),
    });
    return fc.array(fc.array(row, { minLength: 1, maxLength: 30 }), { minLength: 1, maxLength: 3 });
  })
  .map((lists) =>
    lists.map((list) => {
      let at = 0;
      return list.map(({ key, value, after }) => {
        at += after;
        return { key, value: value as number | null, at };
      });
    }),
  );

const WINDOWS = {
  none: null,
  tumbling: tumbling('30ms'),
  sliding: sliding('60ms', '20ms'),
  session: session<Row>('15ms'),
} as const;
type WindowsName = keyof typeof WINDOWS;

/** How far a job reads each split before it is stopped, as a share of its rows, and with how many subtasks. */
interface Stage {
  readonly share: number;
  readonly parallelism: number;
}

class Rescaled {
  readonly sink = collectSink<Record<string, unknown>>();
  readonly #splits: readonly (readonly Row[])[];
  readonly #windows: WindowsName;
  /** Splits that the running job has read as far as it is to. */
  #read = 0;

  constructor(splits: readonly (readonly Row[])[], windows: WindowsName) {
    this.#splits = splits;
    this.#windows = windows;
  }

  /** Results, in an order that does not depend on how they came. */
  get results(): readonly string[] {
    const texts = this.sink.rows.map((row) =>
      JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? `${value}n` : value)),
    );
    return texts.toSorted();
  }

  get hasStopped(): boolean {
    return this.#read === this.#splits.length;
  }

  /** The job, which waits behind a share of the rows; null: it reads all and ends. */
  job(share: number | null): JobDefinition<unknown> {
    this.#read = 0;
    const source = defineSource<Row, number>({
      name: 'rows',
      interleave: true,
      plan: () => this.#splits.map((_, data) => ({ id: `split-${data}`, data })),
      read: ({ data }, position, { signal }) => this.#rowsOf(data, position, share, signal),
    });
    return job('rescaled', (flow) => {
      const keyed = flow
        .from(source, { uid: 'rows' })
        .assignTimestamps('at', { uid: 'times' })
        .keyBy('key');
      const window = WINDOWS[this.#windows];
      const uid = { uid: 'all' };
      const results =
        window === null
          ? keyed.aggregate(AGGREGATES, uid)
          : keyed.window(window).aggregate(AGGREGATES, uid);
      results.to(this.sink, { uid: 'sink' });
    });
  }

  async *#rowsOf(
    split: number,
    position: number,
    share: number | null,
    signal: AbortSignal,
  ): AsyncGenerator<Row> {
    const all = this.#splits[split];
    yield* all.slice(position, Math.floor(all.length * (share ?? 1)));
    this.#read++;
    if (share === null || signal.aborted) return;
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
  }
}

const AGGREGATES = {
  rows: count(),
  values: count('value'),
  total: sum('value'),
  exact: sum('value', { exact: true }),
  mean: avg('value'),
  least: min('value'),
  most: max('value'),
  latest: max('at'),
  odd: sum('at').where(col('at').mod(2).eq(1)),
  keys: aggregator<Row, { seen: string }, number>({
    create: () => ({ seen: '' }),
    add: ({ seen }, { key }) => ({ seen: seen + key }),
    merge: (a, b) => ({ seen: a.seen + b.seen }),
    result: ({ seen }) => seen.length,
  }),
};

/** Runs a job stage by stage, each from the savepoint of the one before, and from the last one to its end. */
async function inStages(
  rescaled: Rescaled,
  stages: readonly Stage[],
  last: number,
  incremental: boolean,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-rescaled-'));
  const settings = {
    'execution.checkpointing.interval': '1h',
    'execution.checkpointing.dir': 'checkpoints',
    'execution.checkpointing.savepointDir': 'saved',
    'execution.checkpointing.incremental': incremental,
  };
  try {
    let from: string | null = null;
    for (const { share, parallelism } of [...stages, { share: null, parallelism: last }]) {
      const recovery: Readonly<Record<string, unknown>> =
        from === null ? {} : { 'execution.stateRecovery.path': from };
      const execution: JobExecution = await start(rescaled.job(share), {
        runtime: 'in-thread',
        parallelism,
        maxParallelism: 16,
        baseDirectory: directory,
        settings: { ...settings, ...recovery },
      });
      const finished = execution.finished;
      if (share !== null) {
        while (!rescaled.hasStopped) await sleep(1);
        from = (await execution.savepoint({ stop: 'suspend' })).path;
      }
      await finished;
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

it('aggregations go on at any other parallelism', async () => {
  await fc.assert(
    fc.asyncProperty(
      splits,
      fc.constantFrom<WindowsName>('none', 'tumbling', 'sliding', 'session'),
      fc.array(
        fc.record({
          share: fc.constantFrom(0, 0.4, 0.8, 1),
          parallelism: fc.integer({ min: 1, max: 5 }),
        }),
        { minLength: 1, maxLength: 3 },
      ),
      fc.integer({ min: 1, max: 5 }),
      fc.boolean(),
      async (all, windows, stages, last, incremental) => {
        const ordered = stages.toSorted((a, b) => a.share - b.share);
        const whole = new Rescaled(all, windows);
        await run(whole.job(null), { runtime: 'in-thread', parallelism: 1 });
        const rescaled = new Rescaled(all, windows);
        await inStages(rescaled, ordered, last, incremental);
        expect(rescaled.results).toEqual(whole.results);
      },
    ),
    { numRuns: 40 },
  );
});
