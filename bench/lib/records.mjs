/**
 * The records in memory that cases without an input file work on: `PASS_ROWS` of them, read again and again. All
 * contenders of such a case read the same arrays; the source costs nothing, so that what is measured is the work.
 * Callers: `column-source.mjs` for Millrace, the limits and the rivals. Pure.
 */
import { randomBelow } from './random.mjs';

/** Records of one pass: more than branch predictors learn, few enough for the second cache. */
export const PASS_ROWS = 16_384;

/**
 * Two whole numbers.
 *
 * @typedef {{ a: Float64Array, b: Float64Array }} NumberRecords
 */

/**
 * Texts: row i is `bytes[offsets[i] .. offsets[i + 1])`, ASCII.
 *
 * @typedef {{ offsets: Int32Array, bytes: Uint8Array }} Texts
 */

/**
 * An order: four numbers and two texts, about 80 bytes.
 *
 * @typedef {object} OrderRecords
 * @property {Float64Array} id
 * @property {Float64Array} user the key
 * @property {Float64Array} price
 * @property {Float64Array} quantity
 * @property {Texts} city
 * @property {Texts} note
 */

/** Values of `city`; the case counts orders from the first one. */
export const CITIES = [
  'Oslo',
  'Rome',
  'Lisbon',
  'Warsaw',
  'Vienna',
  'Dublin',
  'Tallinn',
  'Utrecht',
];
const USERS = 20_000;

/** Records of one pass of `timedRecords`, so many that a pass has about a million keys. */
export const TIMED_ROWS = 2_097_152;
const TIMED_USERS = 1_000_000;
const DUE_MS = 3_600_000;
const NOTE_LENGTH_MIN = 24;
const NOTE_LENGTH_MAX = 40;

/**
 * @param {number} seed
 * @returns {NumberRecords}
 */
export function numberRecords(seed) {
  const below = randomBelow(seed);
  return {
    a: Float64Array.from({ length: PASS_ROWS }, () => below(1_000_000)),
    b: Float64Array.from({ length: PASS_ROWS }, () => below(1000)),
  };
}

/**
 * @param {number} seed
 * @returns {OrderRecords}
 */
export function orderRecords(seed) {
  const below = randomBelow(seed);
  const length = PASS_ROWS;
  return {
    id: Float64Array.from({ length }, (_, row) => row),
    user: Float64Array.from({ length }, () => below(USERS)),
    price: Float64Array.from({ length }, () => 1 + below(100_000)),
    quantity: Float64Array.from({ length }, () => 1 + below(100)),
    city: texts(() => CITIES[below(CITIES.length)]),
    note: texts(() => {
      const span = NOTE_LENGTH_MAX - NOTE_LENGTH_MIN + 1;
      const letters = NOTE_LENGTH_MIN + below(span);
      return String.fromCharCode(...Array.from({ length: letters }, () => 97 + below(26)));
    }),
  };
}

/**
 * Prices of a million users, each with a time at which the user's total is due.
 *
 * @param {number} seed
 * @returns {{ user: Float64Array, price: Float64Array, due: Float64Array }}
 */
export function timedRecords(seed) {
  const below = randomBelow(seed);
  const user = new Float64Array(TIMED_ROWS);
  const price = new Float64Array(TIMED_ROWS);
  const due = new Float64Array(TIMED_ROWS);
  // A plain loop, because millions of records made by `Array.from` would take as long as the work.
  for (let row = 0; row < TIMED_ROWS; row++) {
    user[row] = below(TIMED_USERS);
    price[row] = 1 + below(1000);
    due[row] = 1 + ((user[row] * 7919) % DUE_MS);
  }
  return { user, price, due };
}

/** Events in a second of event time, of all subtasks together, and of one pass of `eventRecords`. */
export const EVENTS_PER_SECOND = 100_000;
export const EVENT_ROWS = 262_144;

/**
 * The time that a pass of `eventRecords` takes when it is one of several in step.
 *
 * @param {number} readers
 */
export function eventPassMs(readers) {
  return Math.round((EVENT_ROWS * readers * 1000) / EVENTS_PER_SECOND);
}

/**
 * Prices of users in order of time, as one of several readers has them that share the events among them.
 *
 * @param {number} seed
 * @param {{ users: number, readers: number }} shape
 * @returns {{ user: Float64Array, price: Float64Array, at: Float64Array }}
 */
export function eventRecords(seed, { users, readers }) {
  const below = randomBelow(seed);
  const user = new Float64Array(EVENT_ROWS);
  const price = new Float64Array(EVENT_ROWS);
  const at = new Float64Array(EVENT_ROWS);
  const passMs = eventPassMs(readers);
  for (let row = 0; row < EVENT_ROWS; row++) {
    user[row] = below(users);
    price[row] = 1 + below(1000);
    at[row] = Math.floor((row * passMs) / EVENT_ROWS);
  }
  return { user, price, at };
}

/**
 * A price of every user in the time of a window, in no order of users.
 *
 * @param {number} seed
 * @param {{ users: number, windowMs: number }} shape `users` is a power of two
 * @returns {{ user: Float64Array, price: Float64Array, at: Float64Array }}
 */
export function everyUser(seed, { users, windowMs }) {
  const below = randomBelow(seed);
  const user = new Float64Array(users);
  const price = new Float64Array(users);
  const at = new Float64Array(users);
  for (let row = 0; row < users; row++) {
    // An odd factor goes through all residues.
    user[row] = Math.imul(row, 0x9e3779b1) & (users - 1);
    price[row] = 1 + below(1000);
    at[row] = Math.floor((row * windowMs) / users);
  }
  return { user, price, at };
}

/** Records of a pass of `amountRecords`: many times as many as there are keys, or as many as fit into a cache. */
export function amountRows(keys) {
  return keys > PASS_ROWS ? TIMED_ROWS : PASS_ROWS;
}

/**
 * Amounts of users. All are 1, so that what running sums add up to does not depend on the order in which the records of
 * a user arrive.
 *
 * @param {number} seed
 * @param {number} keys users
 * @returns {{ user: Float64Array, amount: Float64Array }}
 */
export function amountRecords(seed, keys) {
  const below = randomBelow(seed);
  const length = amountRows(keys);
  const user = new Float64Array(length);
  for (let row = 0; row < length; row++) user[row] = below(keys);
  return { user, amount: new Float64Array(length).fill(1) };
}

/** @returns {Texts} */
function texts(make) {
  const all = Array.from({ length: PASS_ROWS }, make);
  const offsets = new Int32Array(PASS_ROWS + 1);
  for (const [row, text] of all.entries()) offsets[row + 1] = offsets[row] + text.length;
  return { offsets, bytes: new Uint8Array(Buffer.from(all.join(''), 'latin1')) };
}

/**
 * How often `rows` records are a pass, at least once.
 *
 * @param {number} rows
 * @param {number} [passRows] records of a pass
 */
export function passesOf(rows, passRows = PASS_ROWS) {
  return Math.max(1, Math.round(rows / passRows));
}
