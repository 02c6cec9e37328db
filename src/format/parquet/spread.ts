/**
 * The inner loops of decoding: looking values up in a dictionary, and moving them apart where there
 * are nulls. Each is compiled once per kind of array, so that every copy sees one kind only and
 * stays fast. Callers: `flat-page.ts`. Runs on: the slot's thread.
 */
import { compileFunction } from 'node:vm';
import type { FixedValues } from './leaf-decoder.js';

/** Sets `target[i] = dictionary[codes[i]]`; false when a code is not in the dictionary. */
export type Gather = (
  dictionary: FixedValues,
  codes: Int32Array,
  count: number,
  target: FixedValues,
) => boolean;

/**
 * Moves the first values of an array to the rows whose bit is set; the other rows become `zero`.
 */
export type Spread = (
  values: FixedValues,
  count: number,
  validity: Uint8Array,
  rows: number,
  zero: number | bigint,
) => void;

const GATHER = `
  const entries = dictionary.length;
  for (let index = 0; index < count; index++) {
    const code = codes[index];
    if (code >>> 0 >= entries) return false;
    target[index] = dictionary[code];
  }
  return true;`;

const SPREAD = `
  let from = count;
  for (let row = rows - 1; row >= 0; row--) {
    values[row] = (validity[row >> 3] >> (row & 7) & 1) !== 0 ? values[--from] : zero;
  }`;

const gathers = new Map<string, Gather>();
const spreads = new Map<string, Spread>();

/** The look-up loop for arrays of this kind. */
export function gatherFor(values: FixedValues): Gather {
  const name = values.constructor.name;
  const known = gathers.get(name);
  if (known !== undefined) return known;
  const parameters = ['dictionary', 'codes', 'count', 'target'];
  const filename = `millrace:gather-${name}.js`;
  const made = compileFunction(GATHER, parameters, { filename }) as Gather;
  gathers.set(name, made);
  return made;
}

/** The spreading loop for arrays of this kind. */
export function spreadFor(values: FixedValues): Spread {
  const name = values.constructor.name;
  const known = spreads.get(name);
  if (known !== undefined) return known;
  const parameters = ['values', 'count', 'validity', 'rows', 'zero'];
  const filename = `millrace:spread-${name}.js`;
  const made = compileFunction(SPREAD, parameters, { filename }) as Spread;
  spreads.set(name, made);
  return made;
}
