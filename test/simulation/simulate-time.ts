/**
 * Runs the job about time of a seed in a simulated world, and compares what it gave with the model. Runs on: the test's
 * thread.
 */
import { job } from '../../src/api/job.js';
import { Execution } from '../../src/runtime/execution.js';
import { startInThread } from '../../src/runtime/in-thread-run.js';
import { deployIn } from './sim-deploy.js';
import { latencyTracking } from './latency-tracking.js';
import { canonical } from './sim-records.js';
import { SimWorld } from './sim-world.js';
import { buildTimeFlow, TIMER_MS, type TimeSeen } from './time-flow.js';
import { rowsOf, type TimeJob } from './time-job.js';
import { expectedOf } from './time-model.js';

/** Looks at the clock between two looks at the counters. */
const SAMPLE_LOOKS = 499;

/** What a run met. */
export interface TimeRun {
  readonly job: TimeJob;
  readonly looks: number;
  readonly rows: TimeSeen['rows'];
  readonly pausedSplits: number;
  readonly calls: TimeSeen['calls'];
  wasIdle: boolean;
  wasBlockedLong: boolean;
  lateRows: number;
}

/** Runs the job; throws what is wrong with it. */
export async function simulateTime(timeJob: TimeJob): Promise<TimeRun> {
  try {
    const run = await runOf(timeJob);
    check(run);
    return run;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const { sources, ...rest } = timeJob;
    const shapes = sources.map(({ splits, ...source }) => ({ ...source, splits: splits.length }));
    const text = `SEED=${timeJob.seed}: ${reason}\n${JSON.stringify(rest)}\n${JSON.stringify(shapes)}`;
    throw new Error(text, { cause: error });
  }
}

async function runOf(timeJob: TimeJob): Promise<TimeRun> {
  const world = new SimWorld(timeJob.seed);
  const calls = { timedOut: 0, repeated: 0, shared: 0 };
  const seen: TimeSeen = { rows: new Map(), pausedSplits: 0, calls };
  const definition = job('timed', (flow) => buildTimeFlow(flow, timeJob, world, seen));
  const { plan, deployment } = await deployIn(definition, timeJob, {
    'aggregate.preAggregateKeys': timeJob.preAggregateKeys,
    'pipeline.autoWatermarkInterval': timeJob.tickMs,
    ...latencyTracking(timeJob.seed),
  });
  const execution = new Execution(plan, deployment, null, world.disk);
  execution.attach(startInThread(plan, deployment, execution, world));
  let [wasIdle, wasBlockedLong] = [false, false];
  world.onLook = (looks) => {
    if (looks % SAMPLE_LOOKS !== 0) return;
    const sources = execution.metrics().vertices.filter(({ isSource }) => isSource);
    for (const { isIdle, backpressuredMs } of sources.flatMap(({ subtasks }) => subtasks)) {
      wasIdle ||= isIdle;
      wasBlockedLong ||= backpressuredMs > 3000;
    }
  };
  await execution.finished;
  const lateRows = seen.rows.get('dropped')?.length ?? 0;
  const { looks } = world;
  return { job: timeJob, looks, ...seen, wasIdle, wasBlockedLong, lateRows };
}

function check({ job: timeJob, rows }: TimeRun): void {
  for (const consumer of timeJob.consumers) {
    const given = rows.get(consumer) ?? [];
    const expected = expectedOf(timeJob, consumer);
    if (consumer === 'processingTimers') checkTimers(given);
    else if (consumer === 'processingWindows') checkTotal(timeJob, given, []);
    else if (consumer === 'late') {
      checkTotal(timeJob, given, rows.get('dropped') ?? []);
      const windows = given.map(({ k, windowStart }) => `${k} ${windowStart}`);
      must(new Set(windows).size === windows.length, () => 'a window gave two results');
      if (!timeJob.mayBeLate) must(rows.get('dropped')?.length === 0, () => 'rows were late');
    } else compare(consumer, given, expected ?? []);
  }
}

/** No row is lost: each is in one window, or late. */
function checkTotal(
  timeJob: TimeJob,
  given: readonly Readonly<Record<string, number>>[],
  dropped: readonly unknown[],
): void {
  const all = timeJob.sources.flatMap(rowsOf).length;
  const counted = given.reduce((total, row) => total + row['count'], 0);
  must(counted + dropped.length === all, () => `${counted} and ${dropped.length} of ${all} rows`);
}

/** Each timer that was set has fired, once and not too early. */
function checkTimers(given: readonly Readonly<Record<string, number>>[]): void {
  const set = new Set(given.filter(({ fired }) => fired === 0).map(({ k, due }) => `${k} ${due}`));
  const fires = given.filter(({ fired }) => fired !== 0);
  must(fires.length === set.size, () => `${fires.length} of ${set.size} timers fired`);
  for (const { k, due, fired } of fires) {
    must(set.delete(`${k} ${due}`), () => `a timer fired twice, ${TIMER_MS} ms after its record`);
    must(fired > due, () => `a timer for ${due} fired at ${fired}`);
  }
}

function compare(name: string, given: readonly object[], expected: readonly object[]): void {
  const text = (rows: readonly object[]): readonly string[] =>
    rows.map((row) =>
      canonical({ ...row, ...('k' in row ? {} : name === 'join' ? {} : { k: 0 }) }),
    );
  const [had, wanted] = [text(given).toSorted(), text(expected).toSorted()];
  const missing = wanted.filter((row) => !had.includes(row)).slice(0, 3);
  const surplus = had.filter((row) => !wanted.includes(row)).slice(0, 3);
  const isSame = had.length === wanted.length && had.every((row, at) => row === wanted[at]);
  must(
    isSame,
    () =>
      `${name}: ${had.length} rows, not ${wanted.length}; missing ${missing.join(' ')}; surplus ${surplus.join(' ')}`,
  );
}

function must(condition: boolean, what: () => string): void {
  if (!condition) throw new Error(what());
}
