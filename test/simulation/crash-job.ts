/**
 * A job that is worth crashing, drawn from a seed, with what it must have written in the end: files in, state of every
 * kind that shows a loss or a repetition, files out. Runs on: the test's thread.
 */
import { sum } from '../../src/api/aggregates.js';
import { ndjson } from '../../src/api/files.js';
import type { Flow } from '../../src/api/flow.js';
import { job, type JobDefinition } from '../../src/api/job.js';
import { tumbling } from '../../src/api/windows.js';
import { type Random, SeededRandom } from '../../src/base/random.js';
import type { Fault, Loss } from './sim-disk.js';
import { latencyTracking } from './latency-tracking.js';

/** A record of the input: `n` counts the records of its key, from 1. */
export interface Numbered {
  readonly key: number;
  readonly n: number;
  readonly at: number;
}

const SHAPES = ['counts', 'windows', 'timers', 'sums', 'union'] as const;

/** What a seed decides. */
export interface CrashJob {
  readonly seed: number;
  readonly shape: (typeof SHAPES)[number];
  /** Whether the job has a second part that shares nothing with the first but its input, and never throws. */
  readonly isPaired: boolean;
  /** Content of each input file. */
  readonly files: readonly (readonly Numbered[])[];
  readonly parallelism: number;
  /** Whether each life has another parallelism than the one before. */
  readonly isRescaled: boolean;
  readonly batchRows: number;
  /** How fast time goes, which decides how many checkpoints there are. */
  readonly clockSpeed: number;
  readonly settings: Readonly<Record<string, unknown>>;
  /** Where each life but the last ends, by a fault or after its savepoint, and what is lost with it. */
  readonly crashes: readonly { readonly fault: Fault | null; readonly loss: Loss }[];
  /** After so many checkpoints of a life, and so many records behind them, a savepoint is taken; null for none. */
  readonly savepointAfter: { readonly checkpoints: number; readonly records: number } | null;
  /** Operations from the completion of a savepoint to a crash, in each life but the last; null for none. */
  readonly crashAfterSavepoint: number | null;
  /** The calls of a function, over all lives, that throw. */
  readonly throwsAt: readonly number[];
}

/** Draws the job of a seed. */
export function crashJob(seed: number): CrashJob {
  const random = new SeededRandom(seed ^ 0xc4a5);
  const pick = <T>(choices: readonly T[]): T => choices[random.below(choices.length)];
  const shape = pick(SHAPES);
  const savepointAfter = pick([
    null,
    { checkpoints: pick([0, 1, 1, 2]), records: random.below(30) },
  ]);
  const crashAfterSavepoint = savepointAfter === null ? null : pick([null, 1, 10, 40]);
  // A savepoint between two checkpoints takes a job that lasts for a while.
  const rows = savepointAfter === null ? pick([1, 20, 60, 200, 200]) : 200;
  const files = Array.from({ length: pick([1, 1, 2, 3]) }, (_, file) =>
    numbered(random, file, 1 + random.below(rows)),
  );
  const maxConcurrent = pick([1, 1, 2]);
  // Of its own, so that everything else of a seed stays what it was.
  const mode = new SeededRandom(seed ^ 0x0a11);
  const isUnaligned = maxConcurrent === 1 && mode.below(2) === 0;
  const timeout = isUnaligned ? [0, 0, 3][mode.below(3)] : 0;
  const isRescaled = mode.below(2) === 0;
  return {
    seed,
    shape,
    isPaired: new SeededRandom(seed ^ 0x51de).below(2) === 0,
    files,
    parallelism: 1 + random.below(4),
    isRescaled,
    batchRows: savepointAfter === null ? pick([1, 2, 7, 7, 64]) : pick([1, 2, 7]),
    clockSpeed: savepointAfter === null ? pick([1, 8, 32]) : 32,
    settings: {
      'execution.checkpointing.interval': pick([10, 10, 15, 40, 200]),
      'execution.checkpointing.mode': 'exactlyOnce',
      'execution.checkpointing.dir': '/checkpoints',
      'execution.checkpointing.incremental': random.below(2) === 0,
      'execution.checkpointing.numRetained': pick([1, 1, 2, 3]),
      'execution.checkpointing.maxConcurrentCheckpoints': maxConcurrent,
      'execution.checkpointing.unaligned.enabled': isUnaligned,
      'execution.checkpointing.alignedCheckpointTimeout': timeout,
      'execution.checkpointing.minPause': maxConcurrent === 1 ? pick([0, 0, 5]) : 0,
      'execution.stateRecovery.path': 'latest',
      'restartStrategy.type': 'fixedDelay',
      'restartStrategy.fixedDelay.attempts': 6,
      'restartStrategy.fixedDelay.delay': 0,
      ...latencyTracking(seed),
    },
    crashes: Array.from({ length: random.below(6) }, () => ({
      fault: crashAfterSavepoint !== null && random.below(3) > 0 ? null : faultOf(random),
      loss: lossOf(random),
    })),
    savepointAfter,
    crashAfterSavepoint,
    throwsAt: Array.from({ length: pick([0, 0, 1, 3]) }, () => 1 + random.below(rows * 2)),
  };
}

/** The parallelism of a life, of which there are four. */
export function parallelismIn({ parallelism, isRescaled }: CrashJob, life: number): number {
  return isRescaled ? 1 + ((parallelism - 1 + life) % 4) : parallelism;
}

/** Keys of a file are in no other, so that their order is known. */
function numbered(random: Random, file: number, rows: number): readonly Numbered[] {
  const counts = [0, 0, 0, 0, 0];
  return Array.from({ length: rows }, (_, index) => {
    const local = random.below(counts.length);
    const n = (counts[local] ?? 0) + 1;
    counts[local] = n;
    return { key: file * counts.length + local, n, at: 1_000_000 + index * 7 };
  });
}

/** At any operation, or at one of those in which much is at stake. */
function faultOf(random: Random): Fault {
  const pick = <T>(choices: readonly T[]): T => choices[random.below(choices.length)];
  const kind = 'crash';
  if (random.below(3) === 0) return { kind, at: 1 + random.below(pick([60, 200, 600])) };
  if (random.below(8) === 0) return { kind, pathEnd: '/finished', at: 1 + random.below(8) };
  const operation = pick(['write', 'sync', 'syncDirectory', 'rename', 'rename', 'remove', 'read']);
  return { kind, operation, at: 1 + random.below(pick([6, 20, 60])) };
}

function lossOf(random: Random): Loss {
  const seed = random.nextUint32();
  switch (random.below(4)) {
    case 0:
      return { kind: 'kill' };
    case 1:
      return { kind: 'all' };
    case 2:
      return { kind: 'some', seed };
    default:
      return { kind: 'torn', seed };
  }
}

/** What a job tells while it runs. */
export interface CrashJobHooks {
  /** Is called for each record of the first part, in each life and attempt. */
  onRecord(): void;
  /** A subtask of the second part begins. */
  onBeside(): void;
}

/** The job. */
export function definitionOf(
  { shape, files, isPaired }: CrashJob,
  { onRecord, onBeside }: CrashJobHooks,
): JobDefinition {
  return job('crashing', (flow) => {
    if (isPaired) addBeside(flow, onBeside);
    const read = (pattern: string, uid: string) =>
      flow.from(ndjson<Numbered>(pattern), { uid }).map(
        (record) => {
          onRecord();
          return record;
        },
        { uid: `map-${uid}` },
      );
    const output = ndjson<Record<string, unknown>>('/out', { ifExists: 'append' });
    // One file is in order; the order of several is anybody's.
    const outOfOrderness = files.length === 1 ? 0 : 1_000_000;
    if (shape === 'union' && files.length > 1) {
      const [first, ...others] = files.map((_, file) => read(`/in/${file}.ndjson`, `file-${file}`));
      first
        .union(...others)
        .keyBy('key')
        .sum('n', { uid: 'sums' })
        .to(output, { uid: 'out' });
      return;
    }
    const records = read('/in/*.ndjson', 'files');
    if (shape === 'windows') {
      records
        .assignTimestamps('at', { uid: 'times', outOfOrderness })
        .keyBy('key')
        .window(tumbling(100))
        .aggregate({ total: sum('n') }, { uid: 'windows' })
        .to(output, { uid: 'out' });
    } else if (shape === 'sums' || shape === 'union') {
      records.keyBy('key').sum('n', { uid: 'sums' }).to(output, { uid: 'out' });
    } else if (shape === 'timers') {
      records
        .assignTimestamps('at', { uid: 'times', outOfOrderness: 1_000_000 })
        .keyBy('key')
        .process(
          (context) => {
            const seen = context.state.list<number>({ name: 'seen' });
            return {
              processElement(record, { timers }) {
                seen.add(record.n);
                timers.registerEventTime(1_500_000 + (record.n % 3));
              },
              onTimer(timestamp, { key, collect }) {
                collect({ key: key.key, at: timestamp, seen: [...seen.get()].length });
              },
            };
          },
          { uid: 'timers' },
        )
        .to(output, { uid: 'out' });
    } else {
      records
        .keyBy('key')
        .process(
          (context) => {
            const last = context.state.value<number>({ name: 'last' });
            return {
              processElement(record, { collect }) {
                const count = (last.value() ?? 0) + 1;
                last.update(count);
                collect({ key: record.key, n: record.n, count });
              },
            };
          },
          { uid: 'counts' },
        )
        .to(output, { uid: 'out' });
    }
  });
}

/** The part that never throws: it has output before its end, whatever the other does. */
function addBeside(flow: Flow, onBeside: () => void): void {
  flow
    .from(ndjson<Numbered>('/in/*.ndjson'), { uid: 'beside-files' })
    .keyBy('key')
    .process(
      (context) => {
        onBeside();
        const last = context.state.value<number>({ name: 'last' });
        return {
          processElement(record, { collect }) {
            const count = (last.value() ?? 0) + 1;
            last.update(count);
            collect({ beside: record.key, n: record.n, count });
          },
        };
      },
      { uid: 'beside-counts' },
    )
    .to(ndjson<Record<string, unknown>>('/beside', { ifExists: 'append' }), { uid: 'beside-out' });
}

/** What the output must hold in the end, as sorted lines. */
export function expectedOf({ shape, files, isPaired }: CrashJob): readonly string[] {
  const records = files.flat();
  const byKey = groupBy(records, ({ key }) => key);
  const rows: Record<string, unknown>[] = [];
  if (shape === 'counts') rows.push(...records.map(({ key, n }) => ({ key, n, count: n })));
  if (isPaired) rows.push(...records.map(({ key, n }) => ({ beside: key, n, count: n })));
  for (const [key, own] of byKey) {
    if (shape === 'sums' || shape === 'union') rows.push({ key, sum: total(own) });
    if (shape === 'timers') {
      const times = new Set(own.map(({ n }) => 1_500_000 + (n % 3)));
      rows.push(...[...times].map((at) => ({ key, at, seen: own.length })));
    }
    if (shape !== 'windows') continue;
    for (const [window, inside] of groupBy(own, ({ at }) => Math.floor(at / 100))) {
      const [windowStart, windowEnd] = [window * 100, window * 100 + 100];
      rows.push({ key, windowStart, windowEnd, total: total(inside) });
    }
  }
  return rows.map(canonical).toSorted();
}

/** A row as text, whatever the order of its fields. */
export function canonical(row: Record<string, unknown>): string {
  return JSON.stringify(Object.entries(row).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function total(records: readonly Numbered[]): number {
  return records.reduce((result, { n }) => result + n, 0);
}

function groupBy<T>(
  items: readonly T[],
  by: (item: T) => number,
): ReadonlyMap<number, readonly T[]> {
  const groups = new Map<number, T[]>();
  for (const item of items) groups.set(by(item), [...(groups.get(by(item)) ?? []), item]);
  return groups;
}
