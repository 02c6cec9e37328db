/**
 * Plans the reading of files: finds them, looks at their first bytes, lets the format infer the
 * schema, and cuts them into splits that begin and end with rows. Callers: the file sources.
 * Runs on: the caller's thread, before the job starts. Invariant: every row lies in exactly one
 * split, whatever the size of splits.
 */
import type { Disk } from '../../base/disk.js';
import type { RandomAccess } from '../../format/bytes/line-start.js';
import type { PlanContext, SourcePlan, Split } from '../contract.js';
import { FilePrefix } from './file-prefix.js';
import {
  type Codec,
  checkCodec,
  detectCodec,
  type Encoding,
  isStream,
  loadCodecs,
} from './open-feed.js';
import { resolveFiles } from './resolve-files.js';
import type { FileSplit, PlannedFile, RowFormat } from './row-format.js';

/** Splits per subtask that let fast subtasks take work from slow ones. */
const SPLITS_PER_SUBTASK = 4;
/** Bounds of the size of splits when the user names none. */
const SPLIT_BYTES_MIN = 1024 * 1024;
const SPLIT_BYTES_MAX = 4 * 1024 * 1024;

/** What of a source's options planning depends on. */
export interface FilePlanOptions {
  readonly format: RowFormat;
  readonly patterns: readonly string[];
  readonly compression: Codec | 'auto';
  readonly encoding: Encoding;
  /** Target size of splits; null: by the size of the input. */
  readonly splitBytes: number | null;
}

/** What travels with the plan besides the splits. */
export interface FilePlanData {
  readonly codecs: readonly Codec[];
  readonly format: unknown;
}

/** Plans a file source. */
export async function planFiles(
  options: FilePlanOptions,
  context: PlanContext,
): Promise<SourcePlan> {
  const { disk } = context;
  const { compression, encoding, format } = options;
  const files = resolveFiles(disk, context.baseDirectory, options.patterns);
  const codecs = files.map((file) =>
    compression === 'auto' ? detectCodec(disk, file.path) : compression,
  );
  files.forEach((file, index) => checkCodec(codecs[index], file.path));
  const libraries = await loadCodecs(new Set(codecs));
  const prefixes = files.map(
    (file, index) => new FilePrefix(file, { disk, codec: codecs[index], encoding, libraries }),
  );
  try {
    const plan = await format.plan(prefixes);
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    const splitBytes = options.splitBytes ?? defaultSplitBytes(bytes, context.parallelism);
    const splits = plan.files.flatMap((planned) => splitsOf(planned, disk, options, splitBytes));
    const data: FilePlanData = { codecs: [...new Set(codecs)], format: plan.data };
    return { schema: plan.schema, splits, bytes, rows: null, data };
  } finally {
    for (const prefix of prefixes) prefix.close();
  }
}

function defaultSplitBytes(bytes: number, parallelism: number): number {
  const even = Math.ceil(bytes / (parallelism * SPLITS_PER_SUBTASK));
  return Math.min(Math.max(even, SPLIT_BYTES_MIN), SPLIT_BYTES_MAX);
}

function splitsOf(
  planned: PlannedFile,
  disk: Disk,
  options: FilePlanOptions,
  splitBytes: number,
): readonly Split[] {
  const { file, codec, dataStart } = planned;
  if (isStream(codec, options.encoding)) return [splitOf(planned, dataStart, null)];
  const handle = disk.openRead(file.path);
  try {
    const access: RandomAccess = {
      bytes: file.bytes,
      read: (target, position) => {
        const length = Math.min(target.length, file.bytes - position);
        let filled = 0;
        while (filled < length) {
          const bytes = handle.read(target, filled, length - filled, position + filled);
          if (bytes === 0) break;
          filled += bytes;
        }
        return filled;
      },
    };
    return cut(planned, options.format.rowStarts(access, planned), splitBytes);
  } finally {
    handle.close();
  }
}

/** Cuts at the first row start at or after every multiple of the split size. */
function cut(
  planned: PlannedFile,
  rowStartFrom: (place: number) => number,
  splitBytes: number,
): readonly Split[] {
  const { bytes } = planned.file;
  const splits: Split[] = [];
  // A last piece of less than half the size is left with the one before it.
  const lastPlace = bytes - splitBytes / 2;
  let start = planned.dataStart;
  for (let place = start + splitBytes; place < lastPlace; place += splitBytes) {
    if (place <= start) continue;
    const next = rowStartFrom(place);
    if (next >= bytes) break;
    splits.push(splitOf(planned, start, next));
    start = next;
  }
  if (start < bytes) splits.push(splitOf(planned, start, bytes));
  return splits;
}

function splitOf(planned: PlannedFile, start: number, end: number | null): Split {
  const { file, codec, header } = planned;
  const data: FileSplit = { path: file.path, name: file.name, codec, start, end, header };
  return {
    id: `${file.name}@${start}`,
    bytes: end === null ? file.bytes : end - start,
    rows: null,
    data,
  };
}
