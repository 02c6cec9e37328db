/**
 * The limit of `csv-groupby`: a parser for rows of exactly this layout, on two threads. It jumps over values of fixed
 * width, reads the bytes it needs, and only checks that each row ends where it must.
 */
import { sortedAnswer } from '../lib/answer.mjs';
import { addedUp, ByteGroups } from '../lib/byte-groups.mjs';
import { chunkCounter, eachChunk } from '../lib/chunks.mjs';
import { onThreads, serveThread } from '../lib/threads.mjs';

const COMMA = 0x2c;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const NEWLINE = 0x0a;
const LETTER_T = 0x74;
/** By number of decimals. */
const SCALES = Float64Array.of(1, 0.1, 0.01, 0.001);

const ID_TO_CITY = ',2024-01-01T00:00:00.181Z,'.length;
const QUANTITY_TO_OK = ',ab0aa1e2,'.length;
const CITIES_MAX = 4096;

/**
 * @param {import('../child.mjs').Request} request
 * @returns {Promise<import('../child.mjs').Outcome>}
 */
export async function run({ input, threads }) {
  const counter = chunkCounter();
  const parts = await onThreads(import.meta.url, threads, () => ({ path: input.path, counter }));
  const groups = addedUp(parts);
  return { records: input.rows, bytes: input.bytes, answer: () => sortedAnswer(groups) };
}

/** Adds the rows of a chunk up: price and quantity by city. */
function parseRows(groups, bytes, start, end) {
  const { numbers } = groups;
  // The header is the only row that does not start with a digit.
  let at = bytes[start] > NINE ? bytes.indexOf(NEWLINE, start) + 1 : start;
  while (at < end) {
    while (bytes[at] !== COMMA) at++;
    at += ID_TO_CITY;
    const city = at;
    let hash = 0;
    for (let byte = bytes[at]; byte !== COMMA; byte = bytes[++at])
      hash = (Math.imul(hash, 31) + byte) | 0;
    const entry = groups.at(bytes, city, at, hash);
    at++;
    while (bytes[at] !== COMMA) at++;
    at++;
    let price = 0;
    let decimalsFrom = -1;
    for (let byte = bytes[at]; byte !== COMMA; byte = bytes[++at]) {
      if (byte === POINT) decimalsFrom = at + 1;
      else price = price * 10 + (byte - ZERO);
    }
    numbers[entry] += decimalsFrom < 0 ? price : price * SCALES[at - decimalsFrom];
    at++;
    let quantity = 0;
    for (let byte = bytes[at]; byte !== COMMA; byte = bytes[++at])
      quantity = quantity * 10 + (byte - ZERO);
    numbers[entry + 1] += quantity;
    at += QUANTITY_TO_OK;
    at += bytes[at] === LETTER_T ? 'true'.length : 'false'.length;
    if (bytes[at++] !== NEWLINE) throw new Error(`A row ends elsewhere, at ${at}.`);
  }
}

serveThread(({ path, counter }) => {
  const groups = new ByteGroups(CITIES_MAX, 2);
  eachChunk(path, counter, (bytes, start, end) => parseRows(groups, bytes, start, end));
  return groups.rows();
});
