/**
 * Plans and reads the sources that users write. Callers: `define-source.ts`, when a job begins. Runs on: `planOf` on
 * the caller's thread, the rest where the source is read.
 */
import { MillraceError } from '../../base/errors.js';
import { metricGroup } from '../../metrics/user-metrics.js';
import type {
  PlainData,
  PlanContext,
  ReaderContext,
  SourcePlan,
  SourceReader,
  Split,
} from '../contract.js';
import {
  pullFrom,
  type RecordInput,
  type RecordPull,
  sourceFailed,
} from '../iterable/record-pull.js';
import { RecordReader } from '../iterable/record-reader.js';
import type { CustomSource, ReadContext } from './define-source.js';

/** Reads the splits of a source. */
export function readerOf<T, D>(source: CustomSource<T, D>, context: ReaderContext): SourceReader {
  const declared = context.plan.schema ?? source.schema ?? null;
  const metrics = metricGroup(context.metrics);
  return new RecordReader(context, declared, (split, position) => {
    const { subtask, parallelism, baseDirectory, log, wake } = context;
    const abort = new AbortController();
    const { signal } = abort;
    const given = { subtask, parallelism, baseDirectory, metrics, log, signal };
    const records = recordsOf(source, split, position, given);
    return stoppable(pullFrom(records, source.name, wake), abort);
  });
}

/** The splits of a source, checked. */
export async function planOf<T, D>(
  source: CustomSource<T, D>,
  context: PlanContext,
): Promise<SourcePlan> {
  const found = await planned(source, context);
  const splits = found.map(({ id, data, rows, bytes }): Split => {
    return { id, data, rows: rows ?? null, bytes: bytes ?? null };
  });
  const ids = new Set(splits.map((split) => split.id));
  if (ids.size < splits.length) {
    throw new MillraceError('SOURCE_FAILED', `${source.name}: two splits have the same id.`, {
      advice: 'Let plan() give every split an id of its own.',
    });
  }
  const rows = total(splits.map((split) => split.rows));
  const bytes = total(splits.map((split) => split.bytes));
  return { schema: source.schema ?? null, splits, rows, bytes, data: null };
}

async function planned<T, D>(
  source: CustomSource<T, D>,
  context: PlanContext,
): Promise<readonly { id: string; data: PlainData; rows?: number; bytes?: number }[]> {
  if (source.plan === undefined) return [{ id: '0', data: null }];
  try {
    return await source.plan(context);
  } catch (cause) {
    throw sourceFailed(cause, source.name);
  }
}

function recordsOf<T, D>(
  source: CustomSource<T, D>,
  split: Split,
  position: number,
  context: ReadContext,
): RecordInput<T> {
  try {
    // A split's data went through `plan` of the same source, so it has the type that source says.
    return source.read({ id: split.id, data: split.data as D }, position, context);
  } catch (cause) {
    throw sourceFailed(cause, source.name);
  }
}

function stoppable(pull: RecordPull, abort: AbortController): RecordPull {
  return {
    pull: (max) => pull.pull(max),
    stop: () => {
      abort.abort();
      pull.stop();
    },
  };
}

function total(sizes: readonly (number | null)[]): number | null {
  let sum = 0;
  for (const size of sizes) {
    if (size === null) return null;
    sum += size;
  }
  return sum;
}
