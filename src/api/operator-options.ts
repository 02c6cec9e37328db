/**
 * The options every verb of the api takes, and their checks: an unknown or misspelt option is
 * refused when the job is built, with the nearest valid name. Callers: the builders of this folder.
 * Runs on: any thread; pure.
 */
import { type ErrorWhere, MillraceError } from '../base/errors.js';
import { didYouMean } from '../base/nearest-name.js';
import { parseDurationMs } from '../base/units.js';
import type { NodeOptions } from '../graph/logical-graph.js';
import { isPlainObject } from '../graph/plain-object.js';
import { PARALLELISM_MAX } from '../graph/placement.js';
import { isParallelism } from '../graph/validate.js';

/** Options of every operator. */
export interface OperatorOptions {
  /**
   * Stable id by which state is found again after a restart; without one it is derived from the
   * structure.
   */
  readonly uid?: string;
  /** Display name. */
  readonly name?: string;
  /** Number of subtasks; that of the job when absent. */
  readonly parallelism?: number;
  /** Number of key groups, the upper bound of any later parallelism. */
  readonly maxParallelism?: number;
  /** Operators of different groups run in different slots, and so in different threads. */
  readonly slotSharingGroup?: string;
  /**
   * `'always'` joins the chain of the input where possible, `'head'` starts one, `'never'` stands
   * alone.
   */
  readonly chain?: 'always' | 'head' | 'never';
}

/** The kinds of values that options of single verbs may have. */
export type OptionCheck = (value: unknown) => string | null;

const CHAIN_MODES: readonly unknown[] = ['always', 'head', 'never'];

/** Each check answers with what would be valid, or null when the value is. */
const COMMON_CHECKS: Readonly<Record<string, OptionCheck>> = {
  uid: nonEmptyText,
  name: nonEmptyText,
  parallelism: parallelismCheck,
  maxParallelism: parallelismCheck,
  slotSharingGroup: nonEmptyText,
  chain: (value) => (CHAIN_MODES.includes(value) ? null : "'always', 'head' or 'never'"),
};

/**
 * Throws `OPTION_UNKNOWN` or `OPTION_INVALID` unless `options` has only valid options of `verb`.
 */
export function checkOptions(
  verb: string,
  options: unknown,
  createdAt: string | null,
  extra: Readonly<Record<string, OptionCheck>> = {},
): void {
  const at = `${verb}(...)${createdAt === null ? '' : ` at ${createdAt}`}`;
  const where = { operator: verb };
  if (!isPlainObject(options)) {
    const message = `${at}: options are an object such as { uid: 'totals' }.`;
    throw new MillraceError('OPTION_INVALID', message, { where });
  }
  checkMembers(options, { ...COMMON_CHECKS, ...extra }, { at, where });
}

/** Where options stand, for errors about them. */
export interface OptionsPlace {
  /** Such as `keyBy(...) at jobs.ts:3:5`. */
  readonly at: string;
  readonly where: ErrorWhere;
  /** Of options within an option: its name. */
  readonly within?: string;
}

/** Throws `OPTION_UNKNOWN` or `OPTION_INVALID` unless an object has only members that are checked, and valid ones. */
export function checkMembers(
  options: Readonly<Record<string, unknown>>,
  checks: Readonly<Record<string, OptionCheck>>,
  { at, where, within }: OptionsPlace,
): void {
  const [who, path] = within === undefined ? [at, ''] : [`${at}: "${within}"`, `${within}.`];
  for (const [name, value] of Object.entries(options)) {
    const field = `${path}${name}`;
    if (!Object.hasOwn(checks, name)) {
      throw new MillraceError('OPTION_UNKNOWN', `${who} has no option "${name}".`, {
        where: { ...where, field },
        advice: didYouMean(name, Object.keys(checks)),
      });
    }
    const valid = value === undefined ? null : checks[name]?.(value);
    if (valid === null || valid === undefined) continue;
    throw new MillraceError('OPTION_INVALID', `${at}: option "${field}" is ${shown(value)}.`, {
      where: { ...where, field },
      advice: `It must be ${valid}.`,
    });
  }
}

/** The options of the graph's node. */
export function nodeOptions(options: OperatorOptions): NodeOptions {
  return {
    parallelism: options.parallelism ?? null,
    maxParallelism: options.maxParallelism ?? null,
    slotSharingGroup: options.slotSharingGroup ?? null,
    chain: options.chain ?? 'always',
    uidGiven: options.uid !== undefined,
  };
}

/** Of an option that is a name or a path. */
export function nonEmptyText(value: unknown): string | null {
  return typeof value === 'string' && value.trim() !== '' ? null : 'a text that is not empty';
}

function parallelismCheck(value: unknown): string | null {
  const isValid = typeof value === 'number' && isParallelism(value);
  return isValid ? null : `a whole number from 1 to ${PARALLELISM_MAX}`;
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

/** Of an option that is a count. */
export function countCheck(value: unknown): string | null {
  return Number.isSafeInteger(value) && Number(value) >= 1 ? null : 'a whole number from 1 on';
}

/** Of an option that is a function. */
export function functionCheck(value: unknown): string | null {
  return typeof value === 'function' ? null : 'a function';
}

/** Of an option that is a duration. */
export function durationCheck(value: unknown): string | null {
  const expected = "a duration such as '5s' or a number of milliseconds, not below 0";
  if (typeof value !== 'string' && typeof value !== 'number') return expected;
  try {
    return parseDurationMs(value) >= 0 ? null : expected;
  } catch (error) {
    if (MillraceError.is(error)) return expected;
    throw error;
  }
}
