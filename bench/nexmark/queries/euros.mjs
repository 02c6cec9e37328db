/** Dollars as euros, at the rate that Nexmark has: an exact decimal of three places. Callers: q1, q14. */
import { col, lit } from 'millrace';

const RATE = lit('0.908').cast('decimal(3,3)');

/** @param {string} field of whole dollars */
export function euros(field) {
  return col(field).cast('int32').mul(RATE);
}
