/**
 * The limit of `parquet-groupby`: two threads that take row groups in turn, read three columns and leave them encoded.
 * Days are worked out once per entry of the date's dictionary, and a row adds to the place that its codes say, in a
 * table of all origins by all days; only then come texts and hashes.
 */
import { readFileSync } from 'node:fs';
import * as zlib from 'node:zlib';
import { sortedAnswer } from '../lib/answer.mjs';
import { readCodes, rowGroupsOf } from '../lib/parquet-codes.mjs';
import { onThreads, serveThread } from '../lib/threads.mjs';

const MICROS_PER_DAY = 86_400_000_000;
const MS_PER_DAY = 86_400_000;
const [DATE, DELAY, ORIGIN] = ['date', 'delay', 'origin'];

/** Days that a table has room for, counted from the first one it sees. */
const DAYS = 512;
const ORIGINS_MAX = 1024;

/**
 * @param {import('../child.mjs').Request} request
 * @returns {Promise<import('../child.mjs').Outcome>}
 */
export async function run({ input, threads }) {
  const counter = new Int32Array(new SharedArrayBuffer(4));
  const parts = await onThreads(import.meta.url, threads, () => ({ path: input.path, counter }));
  const totals = new Totals();
  for (const { origins, firstDay, numbers } of parts) {
    for (const [index, origin] of origins.entries()) {
      for (let day = 0; day < DAYS; day++) {
        const from = (index * DAYS + day) * 3;
        if (numbers[from] === 0) continue;
        totals.add(totals.originAt(origin), firstDay + day, numbers, from);
      }
    }
  }
  return { records: input.rows, bytes: input.bytes, answer: () => sortedAnswer(totals.rows()) };
}

async function zstdDecoder() {
  if (typeof zlib.zstdDecompressSync === 'function') {
    return (packed) => {
      const { buffer, byteOffset, length } = zlib.zstdDecompressSync(packed);
      // A Buffer's `slice` is a view, that of a plain array a copy.
      return new Uint8Array(buffer, byteOffset, length);
    };
  }
  const { ZSTDDecoder } = await import('zstddec');
  // Where there is a `fetch`, the package reads its own code by it, which first loads an HTTP client. Only this thread
  // goes without.
  globalThis.fetch = undefined;
  const decoder = new ZSTDDecoder();
  await decoder.init();
  return (bytes, length) => decoder.decode(bytes, length);
}

/** Flights, sum and greatest of delays by origin and day, in one array. */
class Totals {
  origins = new Map();
  firstDay = 0;
  numbers = new Float64Array(ORIGINS_MAX * DAYS * 3);

  originAt(text) {
    const known = this.origins.get(text);
    if (known !== undefined) return known;
    if (this.origins.size === ORIGINS_MAX) throw new Error('There are more origins than expected.');
    this.origins.set(text, this.origins.size);
    return this.origins.size - 1;
  }

  add(origin, day, numbers, from) {
    if (this.firstDay === 0) this.firstDay = day - DAYS / 2;
    const place = day - this.firstDay;
    if (place < 0 || place >= DAYS) throw new Error('The days span more than expected.');
    const at = (origin * DAYS + place) * 3;
    const worst = numbers[from + 2];
    if (this.numbers[at] === 0 || worst > this.numbers[at + 2]) this.numbers[at + 2] = worst;
    this.numbers[at] += numbers[from];
    this.numbers[at + 1] += numbers[from + 1];
  }

  rows() {
    return [...this.origins].flatMap(([text, origin]) =>
      Array.from({ length: DAYS }, (_, day) => {
        const [flights, sum, worst] = this.numbers.subarray((origin * DAYS + day) * 3);
        const date = new Date((this.firstDay + day) * MS_PER_DAY).toISOString().slice(0, 10);
        return [`${text} ${date}`, flights, sum / flights, worst];
      }).filter(([, flights]) => flights > 0),
    );
  }
}

function addGroup(file, { rows, columns }, unpack, codes, totals) {
  const [date, delay, origin] = [DATE, DELAY, ORIGIN].map((name, index) => {
    const chunk = columns.find((column) => column.name === name);
    return readCodes(file, chunk, unpack, codes[index]);
  });
  const delays = numbersOf(delay, 1);
  const days = numbersOf(date, MICROS_PER_DAY);
  const origins = textsOf(origin).map((text) => totals.originAt(text));
  const firstDay = days.reduce((least, day) => Math.min(least, day));
  const span = days.reduce((most, day) => Math.max(most, day)) - firstDay + 1;
  const places = Int32Array.from(days, (day) => (day - firstDay) * 3);
  const numbers = new Float64Array(origins.length * span * 3);
  fill(numbers, span * 3, rows, codes, places, delays);
  for (const [index, at] of origins.entries()) {
    for (let day = 0; day < span; day++) {
      const from = (index * span + day) * 3;
      if (numbers[from] > 0) totals.add(at, firstDay + day, numbers, from);
    }
  }
}

function fill(numbers, width, rows, [date, delay, origin], places, delays) {
  for (let row = 0; row < rows; row++) {
    const at = origin[row] * width + places[date[row]];
    const late = delays[delay[row]];
    if (late > numbers[at + 2] || numbers[at] === 0) numbers[at + 2] = late;
    numbers[at]++;
    numbers[at + 1] += late;
  }
}

/** Whole numbers of eight bytes divided by `unit` and rounded down. All of them are below 2^53. */
function numbersOf({ bytes, entries }, unit) {
  // The dictionary may start anywhere, so it is copied to where numbers of four bytes may be.
  const words = new Int32Array(bytes.slice(0, entries * 8).buffer);
  const numbers = new Float64Array(entries);
  for (let entry = 0; entry < entries; entry++) {
    const value = words[entry * 2 + 1] * 4294967296 + (words[entry * 2] >>> 0);
    numbers[entry] = unit === 1 ? value : Math.floor(value / unit);
  }
  return numbers;
}

function textsOf({ bytes, entries }) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decoder = new TextDecoder();
  let at = 0;
  return Array.from({ length: entries }, () => {
    const start = at + 4;
    at = start + view.getUint32(at, true);
    return decoder.decode(bytes.subarray(start, at));
  });
}

serveThread(async ({ path, counter }) => {
  const unpack = await zstdDecoder();
  const file = readFileSync(path);
  const groups = rowGroupsOf(file);
  const totals = new Totals();
  const rowsMax = Math.max(...groups.map(({ rows }) => rows));
  const codes = [DATE, DELAY, ORIGIN].map(() => new Int32Array(rowsMax));
  for (;;) {
    const index = Atomics.add(counter, 0, 1);
    if (index >= groups.length) break;
    addGroup(file, groups[index], unpack, codes, totals);
  }
  const { firstDay, numbers } = totals;
  const used = numbers.slice(0, totals.origins.size * DAYS * 3);
  return { origins: [...totals.origins.keys()], firstDay, numbers: used };
});
