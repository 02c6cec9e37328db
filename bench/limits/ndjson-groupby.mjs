/**
 * The limit of `ndjson-groupby`: a parser for rows of exactly this layout, on two threads. It jumps over keys and over
 * values of fixed width, reads the bytes it needs, and only checks that each row ends where it must.
 */
import { sortedAnswer } from '../lib/answer.mjs';
import { addedUp, ByteGroups } from '../lib/byte-groups.mjs';
import { chunkCounter, eachChunk } from '../lib/chunks.mjs';
import { onThreads, serveThread } from '../lib/threads.mjs';

const QUOTE = 0x22;
const COMMA = 0x2c;
const POINT = 0x2e;
const ZERO = 0x30;
const NEWLINE = 0x0a;
const LETTER_T = 0x74;
/** By number of decimals. */
const SCALES = Float64Array.of(1, 0.1, 0.01, 0.001);

const BEFORE_ID = '{"id":'.length;
const ID_TO_CITY = ',"time":"2024-01-01T00:00:00.181Z","city":"'.length;
const CITY_TO_DEVICE = '","device":"'.length;
const DEVICE_TO_PRICE = '","price":'.length;
const PRICE_TO_QUANTITY = ',"quantity":'.length;
const QUANTITY_TO_OK = ',"session":"ab0aa1e2","ok":'.length;
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
  let at = start;
  while (at < end) {
    at += BEFORE_ID;
    while (bytes[at] !== COMMA) at++;
    at += ID_TO_CITY;
    const city = at;
    let hash = 0;
    for (let byte = bytes[at]; byte !== QUOTE; byte = bytes[++at])
      hash = (Math.imul(hash, 31) + byte) | 0;
    const entry = groups.at(bytes, city, at, hash);
    at += CITY_TO_DEVICE;
    while (bytes[at] !== QUOTE) at++;
    at += DEVICE_TO_PRICE;
    let price = 0;
    let decimalsFrom = -1;
    for (let byte = bytes[at]; byte !== COMMA; byte = bytes[++at]) {
      if (byte === POINT) decimalsFrom = at + 1;
      else price = price * 10 + (byte - ZERO);
    }
    numbers[entry] += decimalsFrom < 0 ? price : price * SCALES[at - decimalsFrom];
    at += PRICE_TO_QUANTITY;
    let quantity = 0;
    for (let byte = bytes[at]; byte !== COMMA; byte = bytes[++at])
      quantity = quantity * 10 + (byte - ZERO);
    numbers[entry + 1] += quantity;
    at += QUANTITY_TO_OK;
    at += bytes[at] === LETTER_T ? 'true}'.length : 'false}'.length;
    if (bytes[at++] !== NEWLINE) throw new Error(`A row ends elsewhere, at ${at}.`);
  }
}

serveThread(({ path, counter }) => {
  const groups = new ByteGroups(CITIES_MAX, 2);
  eachChunk(path, counter, (bytes, start, end) => parseRows(groups, bytes, start, end));
  return groups.rows();
});
