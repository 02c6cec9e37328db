/**
 * Random numbers that are a pure function of a seed and a row number, so that any subtask can make
 * any row. A row number is mixed with the seed by multiplications and shifts that map 32 bits onto
 * 32 bits one to one (the "lowbias32" finaliser of Chris Wellons). Callers: field generators.
 * Runs on: worker; pure.
 */

/** Row numbers are split at 2^32, since integer arithmetic has 32 bits. */
export const ROW_HIGH = 4294967296;

/** Mixes 32 bits. */
export function mix32(value: number): number {
  let bits = value ^ (value >>> 16);
  bits = Math.imul(bits, 0x21f0aaad);
  bits ^= bits >>> 15;
  bits = Math.imul(bits, 0x735a2d97);
  return bits ^ (bits >>> 15);
}

/**
 * The seed of the rows that share the upper part of their numbers, for one use within one field.
 */
export function streamSeed(seed: number, use: number, row: number): number {
  return mix32(mix32(seed ^ Math.imul(use, 0x9e3779b9)) ^ Math.floor(row / ROW_HIGH));
}

/** 32 random bits of a row, as a signed integer. `seed` comes from `streamSeed`. */
export function rowBits(seed: number, row: number): number {
  return mix32(seed ^ Math.imul(row, 0x9e3779b9));
}

/** A number in [0, 1) with 53 random bits, out of two draws. */
export function unitOf(high: number, low: number): number {
  return ((high >>> 5) * 67108864 + (low >>> 6)) / 9007199254740992;
}

/** A generator over one row's draws, for functions that want any number of them. */
export class RowRandom {
  #seed = 0;
  #draw = 0;

  /** Starts the draws of a row. */
  start(seed: number, row: number): void {
    this.#seed = rowBits(seed, row);
    this.#draw = 0;
  }

  nextUint32(): number {
    return rowBits(this.#seed, ++this.#draw) >>> 0;
  }

  next(): number {
    return this.nextUint32() / ROW_HIGH;
  }

  below(bound: number): number {
    return Math.floor(this.next() * bound);
  }
}
