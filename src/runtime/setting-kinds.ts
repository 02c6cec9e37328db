/**
 * Kinds of rows of the table of settings. Callers: `settings.ts`, `recovery-settings.ts`. Runs on: any thread; pure.
 */

const DAY_MS = 86_400_000;
const COUNT_MAX = 2 ** 31 - 1;

/** Default and bounds in milliseconds, or as people write them. */
export const duration = <D extends string | number | null>(
  byDefault: D,
  min = 0,
  max = 365 * DAY_MS,
) => ({ type: 'duration', default: byDefault, min, max }) as const;

export const number = (byDefault: number, min: number, max: number) =>
  ({ type: 'number', default: byDefault, min, max }) as const;

export const count = <D extends number | null>(byDefault: D, min = 0, max = COUNT_MAX) =>
  ({ type: 'integer', default: byDefault, min, max }) as const;

/** The first one is the default. */
export const choice = (...choices: readonly [string, ...string[]]) =>
  ({ type: 'choice', default: choices[0], choices }) as const;

/** Any text. */
export const text = (byDefault: string) => ({ type: 'text', default: byDefault }) as const;

export const PATH = { type: 'path', default: null } as const;
export const OFF = { type: 'boolean', default: false } as const;
