/**
 * Keys of map states as text: one text per value and one value per text, so that tables can compare and snapshots
 * can carry them. Callers: map-state.ts, operator-state.ts. Runs on: worker; pure.
 */
import { MillraceError } from '../base/errors.js';
import type { MapStateKey } from './state-handles.js';

/** The text of a key that has no parts: a letter for its type, then its value; null for any other. */
export function scalarKeyText(key: unknown): string | null {
  switch (typeof key) {
    case 'string':
      return `s${key}`;
    case 'number':
      return `n${key === 0 ? 0 : key}`;
    case 'bigint':
      return `i${key}`;
    case 'boolean':
      return key ? 't' : 'f';
    default:
      if (key === null) return 'z';
      return key instanceof Date ? `d${key.getTime()}` : null;
  }
}

/** The text of a key: a letter for its type, then its value. */
export function encodeMapKey(state: string, key: unknown): string {
  const scalar = scalarKeyText(key);
  if (scalar !== null) return scalar;
  if (Array.isArray(key)) {
    return `a${JSON.stringify(key.map((part) => encodeMapKey(state, part)))}`;
  }
  const what = key === undefined ? 'undefined' : `a ${typeof key}`;
  throw new MillraceError(
    'KEY_UNSUPPORTED',
    `A key of map state ${JSON.stringify(state)} is ${what}.`,
    { advice: 'Use text, numbers, bigints, booleans, dates, null, or arrays of those.' },
  );
}

/** The key of a text. */
export function decodeMapKey(text: string): MapStateKey {
  const rest = text.slice(1);
  switch (text[0]) {
    case 's':
      return rest;
    case 'n':
      return Number(rest);
    case 'i':
      return BigInt(rest);
    case 't':
      return true;
    case 'f':
      return false;
    case 'd':
      return new Date(Number(rest));
    case 'a':
      return (JSON.parse(rest) as readonly string[]).map(decodeMapKey);
    default:
      return null;
  }
}
