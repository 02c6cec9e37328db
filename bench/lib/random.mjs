/**
 * Seeded random numbers for inputs: the same seed gives the same bytes on every machine. Callers: `inputs.mjs` and
 * what it generates.
 */

/**
 * A generator of 32-bit numbers (Steele and Vigna's SplitMix, in 32 bits).
 *
 * @param {number} seed
 * @returns {() => number} unsigned 32-bit integers
 */
export function random32(seed) {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let bits = state ^ (state >>> 16);
    bits = Math.imul(bits, 0x21f0aaad);
    bits ^= bits >>> 15;
    bits = Math.imul(bits, 0x735a2d97);
    return (bits ^ (bits >>> 15)) >>> 0;
  };
}

/**
 * Whole numbers from 0 up to but not including a bound.
 *
 * @param {number} seed
 * @returns {(bound: number) => number}
 */
export function randomBelow(seed) {
  const next = random32(seed);
  return (bound) => Math.floor((next() / 4294967296) * bound);
}
