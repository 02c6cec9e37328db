/**
 * What contenders answer, in a form that can be compared: a figure counts only when all contenders of a case gave the
 * same answer. Callers: every contender, `case-runner.mjs`.
 */

/** Relative difference at which two numbers still count as equal: sums of fractions depend on their order. */
const TOLERANCE = 1e-9;
/** How many differences a message names. */
const SHOWN_MAX = 3;

/**
 * A row of an answer: texts and numbers, the key first.
 *
 * @typedef {readonly (string | number)[]} AnswerRow
 */

/**
 * Groups in the order of their keys. Large answers are better summed up by `rowHash` first.
 *
 * @param {Iterable<AnswerRow>} rows
 * @returns {AnswerRow[]}
 */
export function sortedAnswer(rows) {
  return [...rows].sort((a, b) => {
    const left = keyOf(a);
    const right = keyOf(b);
    return left < right ? -1 : left > right ? 1 : 0;
  });
}

/** @param {AnswerRow} row */
function keyOf(row) {
  return row.filter((cell) => typeof cell === 'string').join('\u0000') || row[0];
}

/**
 * A number for a row of numbers that depends on each of them; added up modulo 2^32 over all rows it does not depend
 * on their order.
 *
 * @param {number} hash of the cells before, 0 for the first one
 * @param {number} value a whole number
 * @returns {number}
 */
export function mixCell(hash, value) {
  const high = Math.floor(value / 4294967296);
  const mixed = Math.imul((hash ^ (value - high * 4294967296)) | 0, 0x9e3779b1);
  return (Math.imul(mixed ^ (mixed >>> 15), 0x85ebca6b) + high) | 0;
}

/**
 * Compares two answers. Returns null when they agree, else what differs.
 *
 * @param {readonly AnswerRow[]} expected
 * @param {readonly AnswerRow[]} actual
 * @returns {string | null}
 */
export function differenceOf(expected, actual) {
  const wrong = [];
  if (expected.length !== actual.length) {
    wrong.push(`${actual.length} rows instead of ${expected.length}`);
  }
  const rows = Math.min(expected.length, actual.length);
  for (let row = 0; row < rows && wrong.length < SHOWN_MAX; row++) {
    if (sameRow(expected[row], actual[row])) continue;
    wrong.push(
      `row ${row} is ${JSON.stringify(actual[row])}, not ${JSON.stringify(expected[row])}`,
    );
  }
  return wrong.length === 0 ? null : wrong.join('; ');
}

/**
 * @param {AnswerRow} expected
 * @param {AnswerRow} actual
 */
function sameRow(expected, actual) {
  return (
    expected.length === actual.length &&
    expected.every((cell, index) => sameCell(cell, actual[index]))
  );
}

/**
 * @param {string | number} expected
 * @param {string | number} actual
 */
function sameCell(expected, actual) {
  if (typeof expected !== 'number' || typeof actual !== 'number') return expected === actual;
  if (Object.is(expected, actual)) return true;
  const scale = Math.max(Math.abs(expected), Math.abs(actual));
  return Math.abs(expected - actual) <= TOLERANCE * scale;
}
