/**
 * Prices: 100 to 100 000 000, each order of magnitude as likely as the others. Powers come out of tables that are made
 * by square roots and products alone, which every language rounds alike. Callers: the column writers, the reference of
 * the tests. Runs on: any thread; pure.
 */
import { bitsOf } from './event-random.mjs';

const PRICE_MIN = 100;
const SPAN = 1_000_000;
const TABLE_BITS = 12;
const TABLE_MASK = (1 << TABLE_BITS) - 1;
/** What the lowest 8 of 32 bits add to the least price; so near to one, the power is a line. */
const STEP = (PRICE_MIN * 13.815510557964274) / 2 ** 32;

const upper = powers(1);
const lower = powers(1 + TABLE_BITS);

/** Element i is SPAN to the power of i / 2^(bit - 1 + TABLE_BITS). */
function powers(bit) {
  let root = SPAN;
  const roots = [];
  for (let index = 1; index < bit + TABLE_BITS; index++) {
    root = Math.sqrt(root);
    if (index >= bit) roots.push(root);
  }
  return Float64Array.from({ length: 1 << TABLE_BITS }, (_, index) =>
    roots.reduce((product, factor, at) => {
      const isSet = ((index >> (TABLE_BITS - 1 - at)) & 1) === 1;
      return isSet ? product * factor : product;
    }, 1),
  );
}

/**
 * The price of an event.
 *
 * @param {number} seed of `useSeed`
 * @param {number} low lower 32 bits of the event's id
 */
export function priceOf(seed, low) {
  const bits = bitsOf(seed, low);
  const power = upper[bits >>> 20] * lower[(bits >>> 8) & TABLE_MASK];
  return Math.floor(power * (PRICE_MIN + (bits & 0xff) * STEP) + 0.5);
}
