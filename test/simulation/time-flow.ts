/**
 * Builds the job of a simulation about time with the public api, and its connectors: sources that pause for simulated
 * time, sinks that refuse for some. Runs on: the test's thread.
 */
import { count, sum } from '../../src/api/aggregates.js';
import type { Flow } from '../../src/api/flow.js';
import type { Stream } from '../../src/api/stream.js';
import { session, sliding, tumbling } from '../../src/api/windows.js';
import {
  POLL_BATCH,
  POLL_NEED_SPLIT,
  POLL_SPLIT_END,
  POLL_WAIT,
  type PollResult,
  type ReaderContext,
  type SinkConnector,
  type SinkWriter,
  type SourceConnector,
  type SourceReader,
  type Split,
  type WriterContext,
} from '../../src/connector/contract.js';
import { RecordBatcher } from '../../src/connector/iterable/record-batcher.js';
import { outputTag } from '../../src/operator/process-function.js';
import type { Batch } from '../../src/record/batch.js';
import { compileRowReader } from '../../src/record/row-codec.js';
import { type SeenCalls, throughCalls } from './sim-calls.js';
import type { SimWorld } from './sim-world.js';
import {
  type Consumer,
  DISORDER_MS,
  type TimeDeed,
  type TimeJob,
  type TimeRow,
  type TimeSource,
} from './time-job.js';

/** Rows that arrived at a sink, and what else happened. */
export interface TimeSeen {
  readonly rows: Map<string, Readonly<Record<string, number>>[]>;
  pausedSplits: number;
  readonly calls: SeenCalls;
}

/** Milliseconds after which a timer of the wall clock fires. */
export const TIMER_MS = 700;
const LATE = outputTag<TimeRow>('late');

/** Builds the flow of a job. */
export function buildTimeFlow(flow: Flow, job: TimeJob, world: SimWorld, seen: TimeSeen): void {
  const streams = job.sources.map((source, index) => {
    const stream = flow.from(timeSource(source, index, world, seen), {
      uid: `source-${index}`,
      parallelism: source.parallelism,
    });
    const { idleTimeoutMs, isAligned, parallelism } = source;
    const mapped = source.isMapped ? stream.map((row) => ({ ...row }), { parallelism }) : stream;
    const timed = mapped.assignTimestamps('at', {
      uid: `times-${index}`,
      parallelism,
      outOfOrderness: DISORDER_MS,
      ...(idleTimeoutMs === null ? {} : { idleTimeout: idleTimeoutMs }),
      ...(isAligned ? { alignment: { group: 'all', maxDrift: 1500, updateInterval: 20 } } : {}),
    });
    const calls = job.calls[index] ?? null;
    if (calls === null) return timed;
    return throughCalls(timed, calls, { uid: `calls-${index}`, world, seen: seen.calls });
  });
  const [first, ...others] = streams;
  const all = others.length === 0 ? first : (first.union(...others) as Stream<TimeRow>);
  for (const consumer of job.consumers) {
    const sinkTo = (name: string, stream: Stream<never>): void => {
      seen.rows.set(name, []);
      stream.to(timeSink(name, job, world, seen), { uid: `sink-${name}` });
    };
    if (consumer === 'join') sinkTo(consumer, joined(streams, job) as Stream<never>);
    else sinkTo(consumer, consume(consumer, all, job, sinkTo) as Stream<never>);
  }
}

const AGGREGATES = { n: count(), x: sum<TimeRow, 'x'>('x' as never, { exact: true } as never) };

function consume(
  consumer: Exclude<Consumer, 'join'>,
  all: Stream<TimeRow>,
  { sizeMs, slideMs, gapMs }: TimeJob,
  sinkTo: (name: string, stream: Stream<never>) => void,
): Stream<unknown> {
  const keyed = all.keyBy('k');
  const options = { uid: consumer };
  switch (consumer) {
    case 'tumbling':
      return keyed.window(tumbling(sizeMs)).aggregate(AGGREGATES as never, options);
    case 'late': {
      const ids = keyed.window(tumbling(sizeMs)).sideOutputLateData(LATE);
      const result = ids.count(options);
      sinkTo('dropped', result.sideOutput(LATE) as Stream<never>);
      return result;
    }
    case 'sliding':
      return keyed.window(sliding(sizeMs, slideMs)).aggregate(AGGREGATES as never, options);
    case 'all':
      return all.windowAll(sliding(sizeMs, slideMs)).aggregate(AGGREGATES as never, options);
    case 'session':
      return keyed.window(session<TimeRow>(gapMs)).aggregate({ n: count() }, options);
    case 'chained':
      return (keyed.window(tumbling(sizeMs)).count({ uid: 'inner' }) as Stream<{ count: number }>)
        .windowAll(tumbling(sizeMs * 3))
        .aggregate({ n: count(), x: sum('count') }, options);
    case 'timers':
      return keyed.process<{ k: number; at: number; n: number }>(({ state }) => {
        const rows = state.map<number, number>({ name: 'rows' });
        return {
          processElement({ at }, { timers }) {
            const end = Math.floor(at / sizeMs) * sizeMs + sizeMs - 1;
            rows.put(end, (rows.get(end) ?? 0) + 1);
            timers.registerEventTime(end);
          },
          onTimer(timeMs, { key, collect }) {
            collect({ k: (key as { k: number }).k, at: timeMs, n: rows.get(timeMs) ?? -1 });
            rows.remove(timeMs);
          },
        };
      }, options);
    case 'processingTimers':
      return keyed.process<{ k: number; due: number; fired: number }>(
        () => ({
          processElement(_row, { key, timers, collect }) {
            const due = Math.floor(timers.currentProcessingTime) + TIMER_MS;
            timers.registerProcessingTime(due);
            collect({ k: (key as { k: number }).k, due, fired: 0 });
          },
          onTimer(timeMs, { key, timers, collect }) {
            const fired = timers.currentProcessingTime;
            collect({ k: (key as { k: number }).k, due: timeMs, fired });
          },
        }),
        options,
      );
    case 'processingWindows':
      return keyed.window(tumbling(sizeMs, { time: 'processing' })).count(options);
  }
}

function joined(streams: readonly Stream<TimeRow>[], { gapMs, sizeMs }: TimeJob): Stream<unknown> {
  const [left, right = left] = streams;
  return left
    .keyBy('k')
    .intervalJoin(right.keyBy('k'))
    .between(-gapMs, sizeMs)
    .apply((l, r) => ({ left: l.id, right: r.id }), { uid: 'join' });
}

function timeSource(
  source: TimeSource,
  index: number,
  world: SimWorld,
  seen: TimeSeen,
): SourceConnector<TimeRow> {
  const { splits, interleaves } = source;
  return {
    kind: 'source',
    type: 'sim',
    name: `sim ${index}`,
    bounded: true,
    host: false,
    maxParallelism: null,
    guarantee: 'exactly-once',
    projects: false,
    interleaves,
    plan: () => ({
      schema: null,
      splits: splits.map((deeds, at) => ({ id: `${at}`, bytes: null, rows: null, data: deeds })),
      bytes: null,
      rows: null,
      data: null,
    }),
    open: (context) => new TimeReader(world, context, seen),
  };
}

/** A split in hand. */
interface Reading {
  readonly id: string;
  readonly deeds: readonly TimeDeed[];
  next: number;
  /** Rows of the deed at hand that have been given. */
  used: number;
  isReady: boolean;
  isPaused: boolean;
}

class TimeReader implements SourceReader {
  batch: Batch | null = null;
  splitId = '';
  readonly bytesRead = 0;
  readonly #world: SimWorld;
  readonly #context: ReaderContext;
  readonly #seen: TimeSeen;
  readonly #batcher: RecordBatcher;
  readonly #readings: Reading[] = [];

  constructor(world: SimWorld, context: ReaderContext, seen: TimeSeen) {
    this.#world = world;
    this.#context = context;
    this.#seen = seen;
    const { schemas, batchRows } = context;
    this.#batcher = new RecordBatcher({ schemas, batchRows, declared: null });
  }

  addSplit({ id, data }: Split): void {
    const deeds = data as readonly TimeDeed[];
    this.#readings.push({ id, deeds, next: 0, used: 0, isReady: true, isPaused: false });
  }

  poll(): PollResult {
    this.batch = null;
    if (this.#readings.length === 0) return POLL_NEED_SPLIT;
    const can = this.#readings.filter((one) => one.isReady && !one.isPaused);
    if (can.length === 0) return POLL_WAIT;
    const reading = can[this.#world.random.below(can.length)];
    this.splitId = reading.id;
    const deed = reading.deeds[reading.next];
    if (deed === undefined) {
      this.#readings.splice(this.#readings.indexOf(reading), 1);
      return POLL_SPLIT_END;
    }
    if ('pauseMs' in deed) {
      reading.next++;
      reading.isReady = false;
      this.#world.after(deed.pauseMs, () => {
        reading.isReady = true;
        this.#context.wake();
      });
      return this.poll();
    }
    reading.used += this.#batcher.fill(deed.rows, reading.used, reading.used);
    if (reading.used === deed.rows.length) {
      reading.next++;
      reading.used = 0;
    }
    this.batch = this.#batcher.batch;
    return POLL_BATCH;
  }

  pauseOrResumeSplits(pause: readonly string[], resume: readonly string[]): void {
    this.#seen.pausedSplits += pause.length;
    for (const reading of this.#readings) {
      if (pause.includes(reading.id)) reading.isPaused = true;
      if (resume.includes(reading.id)) reading.isPaused = false;
    }
  }

  positions(): readonly never[] {
    return [];
  }

  close(): void {}
}

function timeSink(name: string, job: TimeJob, world: SimWorld, seen: TimeSeen): SinkConnector {
  return {
    kind: 'sink',
    type: 'sim',
    name,
    host: false,
    parallelism: null,
    guarantee: 'exactly-once',
    columns: null,
    plan: () => null,
    open: (context) => new TimeWriter(name, job, world, seen, context),
  };
}

/** Refuses a few times, for as long as the job says. */
class TimeWriter implements SinkWriter {
  readonly bytesWritten = 0;
  readonly #rows: Readonly<Record<string, number>>[];
  readonly #job: TimeJob;
  readonly #world: SimWorld;
  readonly #context: WriterContext;
  #refusalsLeft = 4;
  #isReady = true;

  constructor(name: string, job: TimeJob, world: SimWorld, seen: TimeSeen, context: WriterContext) {
    this.#rows = seen.rows.get(name) ?? [];
    this.#job = job;
    this.#world = world;
    this.#context = context;
  }

  write(batch: Batch, fromRow: number): number {
    if (!this.#isReady) return 0;
    const read = compileRowReader(batch.schema, null);
    for (let row = fromRow; row < batch.rows; row++) {
      this.#rows.push(read(batch, row) as Readonly<Record<string, number>>);
    }
    if (this.#job.refuseMs > 0 && this.#refusalsLeft > 0 && this.#world.random.below(3) === 0) {
      this.#refuse();
    }
    return batch.rows - fromRow;
  }

  #refuse(): void {
    this.#refusalsLeft--;
    this.#isReady = false;
    this.#world.after(this.#job.refuseMs, () => {
      this.#isReady = true;
      this.#context.wake();
    });
  }

  flush(): boolean {
    return this.#isReady;
  }

  prepareCommit(): readonly [] | null {
    return this.#isReady ? [] : null;
  }

  close(): void {}
}
