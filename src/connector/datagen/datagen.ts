/**
 * The source that makes its records up: seeded, at full speed or at a given rate, bounded or not.
 * Row i is a pure function of the seed and i, and splits are sets of rows, so the records are the
 * same at every parallelism. Callers: the api, benchmarks, tests. Runs on: the slot's thread.
 * Invariant: a position is the number of rows of the split given so far, which says exactly which
 * rows are left.
 */
import { MillraceError } from '../../base/errors.js';
import { freshSeed } from '../../base/random.js';
import { VALUE_FIELD } from '../../record/schema.js';
import type { Schema } from '../../record/schema.js';
import { checkArgument, checkOptionsObject } from '../check-arguments.js';
import type { PlanContext, SourceConnector, SourcePlan, Split } from '../contract.js';
import {
  type FieldGenerator,
  type FieldGenerators,
  typeOfSpec,
  type ValueFunction,
} from './generators.js';

/** Options of `datagen`. */
export interface DatagenOptions<F extends FieldGenerators> {
  readonly fields: F;
  /** Number of records, or 'unbounded'. */
  readonly rows: number | 'unbounded';
  /** Records per second of all subtasks together; as fast as possible when absent. */
  readonly rowsPerSecond?: number;
  /** The same seed makes the same records; one is drawn for each run when absent. */
  readonly seed?: number;
  /** Display name. */
  readonly name?: string;
}

/** The records that generators make. */
export type GeneratedRecord<F extends FieldGenerators> = {
  [K in keyof F]: F[K] extends FieldGenerator<infer T>
    ? T
    : F[K] extends ValueFunction<infer T>
      ? T
      : never;
};

/** Rows dealt to a split at a time: enough for a batch. */
const BLOCK_ROWS = 1024;
/**
 * Bounded sources are cut into this many splits a subtask, so that fast subtasks can take over from
 * slow ones.
 */
const SPLITS_PER_SUBTASK = 8;
/** Longest time a rate-limited split holds the turn before the others have theirs. */
const TURN_SECONDS = 0.02;

/**
 * The rows of a split: blocks `first`, `first + every`, … of `blockRows` rows, up to row `rows` of the source.
 */
export interface DatagenSplit {
  readonly firstBlock: number;
  readonly everyBlocks: number;
  readonly blockRows: number;
  /** Infinite when the source is unbounded. */
  readonly rows: number;
}

/** What the plan tells the readers. */
export interface DatagenPlan {
  readonly seed: number;
}

/**
 * A source of generated records.
 *
 * @example
 * flow.from(datagen({
 *   rows: 1_000_000,
 *   seed: 1,
 *   fields: { id: sequence(), price: floats(1, 100), city: choice(['Rome', 'Oslo']) },
 * }))
 */
export function datagen<F extends FieldGenerators>(
  options: DatagenOptions<F>,
): SourceConnector<GeneratedRecord<F>> {
  checkOptions(options);
  const { rows, fields } = options;
  const rowsPerSecond = options.rowsPerSecond ?? Number.POSITIVE_INFINITY;
  return {
    kind: 'source',
    type: 'datagen',
    name: options.name ?? `datagen of ${rows === 'unbounded' ? 'unbounded rows' : `${rows} rows`}`,
    bounded: rows !== 'unbounded',
    host: false,
    maxParallelism: null,
    guarantee: 'exactly-once',
    projects: true,
    plan: (context) => planOf(options, rowsPerSecond, context),
    open: async (context) => {
      const { DatagenReader } = await import('./datagen-reader.js');
      return new DatagenReader({ fields, rowsPerSecond, context });
    },
  };
}

function checkOptions(options: DatagenOptions<FieldGenerators>): void {
  checkOptionsObject('datagen', options);
  const isRight = typeof options.fields === 'object' && options.fields !== null;
  checkArgument('datagen', 'fields', options.fields, isRight, 'Give a generator for each field.');
  const { rows, rowsPerSecond, seed, fields } = options;
  const wrong = (what: string, advice: string): never => {
    throw new MillraceError('OPTION_INVALID', `datagen: ${what}`, { advice });
  };
  if (rows !== 'unbounded' && (!Number.isSafeInteger(rows) || rows < 0)) {
    wrong(`rows cannot be ${rows}.`, "Give a whole number of records, or 'unbounded'.");
  }
  if (rowsPerSecond !== undefined && !(rowsPerSecond > 0)) {
    wrong(`rowsPerSecond cannot be ${rowsPerSecond}.`, 'Give a number above 0, or leave it out.');
  }
  if (seed !== undefined && !Number.isSafeInteger(seed)) {
    wrong(`the seed cannot be ${seed}.`, 'Give a whole number.');
  }
  if (Object.keys(fields).length === 0) {
    wrong('there are no fields.', `Name at least one, such as { ${VALUE_FIELD}: sequence() }.`);
  }
}

function planOf(
  options: DatagenOptions<FieldGenerators>,
  rowsPerSecond: number,
  context: PlanContext,
): SourcePlan {
  const rows = options.rows === 'unbounded' ? Number.POSITIVE_INFINITY : options.rows;
  const bounded = Number.isFinite(rows);
  const paced = Number.isFinite(rowsPerSecond);
  // Rows of an endless or paced source come in turns, so each subtask keeps one split for good. Others are ranges of
  // rows, taken in order, so that values that rise with the row rise in every subtask: event times, for one.
  const inTurns = !bounded || paced;
  const splitsMax = context.parallelism * (inTurns ? 1 : SPLITS_PER_SUBTASK);
  const turn = Math.floor((rowsPerSecond * TURN_SECONDS) / context.parallelism);
  const blockRows = Math.max(1, Math.min(BLOCK_ROWS, turn));
  const blocks = Math.max(1, Math.ceil(rows / blockRows));
  const blocksEach = inTurns ? 1 : Math.ceil(blocks / splitsMax);
  const count = Math.min(splitsMax, Math.ceil(blocks / blocksEach));
  const data: DatagenPlan = { seed: options.seed ?? freshSeed() };
  const splits = Array.from({ length: count }, (_, index): Split => {
    const split = inTurns
      ? { firstBlock: index, everyBlocks: count, blockRows, rows }
      : {
          firstBlock: index * blocksEach,
          everyBlocks: 1,
          blockRows,
          rows: Math.min(rows, (index + 1) * blocksEach * blockRows),
        };
    return { id: String(index), bytes: null, rows: null, data: split satisfies DatagenSplit };
  });
  return {
    schema: schemaOf(options.fields),
    splits,
    bytes: null,
    rows: bounded ? rows : null,
    data,
  };
}

/** Null when a function makes values, whose type only they will tell. */
function schemaOf(fields: FieldGenerators): Schema | null {
  const known: Schema['fields'][number][] = [];
  for (const [name, generator] of Object.entries(fields)) {
    if (typeof generator === 'function') return null;
    known.push({ name, type: typeOfSpec(generator.spec), nullable: false, optional: false });
  }
  return { shape: 'object', fields: known };
}
