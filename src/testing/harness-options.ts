/**
 * Options of the harness and their checks. Callers: `test-harness.ts`. Runs on: the test's thread; pure.
 */
import { MillraceError } from '../base/errors.js';
import { didYouMean } from '../base/nearest-name.js';
import type { OutputTag } from '../operator/process-function.js';
import type { Schema } from '../record/schema.js';
import type { TestSnapshot } from './test-instance.js';

/** Options of a harness. */
export interface HarnessOptions {
  /** Tags whose side outputs the test reads; the part has to end with the function that gives to them. */
  readonly tags?: readonly OutputTag<unknown>[];
  /** Moves all state to a new instance after every step, as a restart would. Default false. */
  readonly restoreEachStep?: boolean;
  /** `'full'`: outputs have room for one record at every other attempt. Default `'free'`. */
  readonly outputs?: 'free' | 'full';
  /** Rows a frame holds at most, inside of the part too; 1: one record at a time. Default 1024. */
  readonly batchRows?: number;
  /** What the clock shows at first, in milliseconds since the epoch. Default 0. */
  readonly startTimeMs?: number;
  /** Whether the inputs end, which decides what aggregations emit unless they are told. Default false. */
  readonly bounded?: boolean;
  /** Schemas of the inputs, in order; inferred from the records where absent. */
  readonly schemas?: readonly (Schema | null)[];
  /** State to begin with, from `snapshot()` of another harness. */
  readonly from?: TestSnapshot;
  /** Further settings of the run by their keys, such as `'pipeline.autoWatermarkInterval'`. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

const CHECKS: Readonly<Record<keyof HarnessOptions, (value: unknown) => string | null>> = {
  tags: (value) => (isArrayOf(value, isTag) ? null : 'an array of what outputTag(...) gives'),
  restoreEachStep: trueOrFalse,
  outputs: (value) => (value === 'free' || value === 'full' ? null : "'free' or 'full'"),
  batchRows: (value) =>
    Number.isSafeInteger(value) && Number(value) >= 1 ? null : 'a whole number from 1 on',
  startTimeMs: (value) => (Number.isSafeInteger(value) ? null : 'milliseconds since the epoch'),
  bounded: trueOrFalse,
  schemas: (value) => (isArrayOf(value, isSchemaOrNull) ? null : 'an array of schemas'),
  from: (value) =>
    isObject(value) && Array.isArray(Reflect.get(value, 'pieces'))
      ? null
      : 'what harness.snapshot() gives',
  settings: (value) => (isObject(value) ? null : 'an object of settings by their keys'),
};

/** Throws OPTION_UNKNOWN or OPTION_INVALID unless all options are valid. */
export function checkHarnessOptions(options: HarnessOptions): void {
  checkTestOptions('the harness', options, CHECKS);
}

/** Throws OPTION_UNKNOWN or OPTION_INVALID unless each option passes its check, which says what would. */
export function checkTestOptions(
  of: string,
  options: object,
  checks: Readonly<Record<string, (value: unknown) => string | null>>,
): void {
  for (const [name, value] of Object.entries(options)) {
    const check = checks[name];
    if (check === undefined) {
      throw new MillraceError('OPTION_UNKNOWN', `There is no option "${name}" of ${of}.`, {
        advice: didYouMean(name, Object.keys(checks)),
      });
    }
    const valid = value === undefined ? null : check(value);
    if (valid === null) continue;
    throw new MillraceError('OPTION_INVALID', `The option "${name}" of ${of} is not valid.`, {
      advice: `Give ${valid}.`,
    });
  }
}

function trueOrFalse(value: unknown): string | null {
  return typeof value === 'boolean' ? null : 'true or false';
}

function isArrayOf(value: unknown, isItem: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isItem);
}

function isTag(value: unknown): boolean {
  return isObject(value) && typeof Reflect.get(value, 'id') === 'string';
}

function isSchemaOrNull(value: unknown): boolean {
  return value === null || (isObject(value) && 'fields' in value);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
