/**
 * What a server has unless it is told otherwise, and the bounds of what it is told. Callers: the command line,
 * `mounted-server.ts`. Runs on: the main thread; pure.
 */
import { availableParallelism } from 'node:os';
import { MillraceError } from '../base/errors.js';
import type { KeptFiles } from './rotating-file.js';

const SLOTS_PER_CORE = 4;
const SLOTS_MAX = 32_768;
const HISTORY = 100;
const HISTORY_MAX = 100_000;

/** How much is kept of each log. */
export const KEPT_LOGS: KeptFiles = { bytesMax: 8 * 1024 ** 2, files: 4 };

/** Slots for all jobs together; `name` is that of the option. Throws OPTION_INVALID. */
export function slotsWithin(name: string, given: string | number | undefined): number {
  return whole(name, given, 1, SLOTS_MAX) ?? SLOTS_PER_CORE * availableParallelism();
}

/** Ended jobs that are kept. Throws OPTION_INVALID. */
export function historyWithin(name: string, given: string | number | undefined): number {
  return whole(name, given, 0, HISTORY_MAX) ?? HISTORY;
}

/** A whole number, as text or as it is; null when none is given. Throws OPTION_INVALID. */
export function whole(
  name: string,
  given: string | number | undefined,
  min: number,
  max: number,
): number | null {
  if (given === undefined) return null;
  const value = typeof given === 'string' && given.trim() === '' ? Number.NaN : Number(given);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new MillraceError(
    'OPTION_INVALID',
    `${name} is ${JSON.stringify(given)}; it must be a whole number from ${min} to ${max}.`,
  );
}
