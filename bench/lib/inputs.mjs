/**
 * Makes the input files of the cases, seeded, once per machine. Callers: `case-runner.mjs`, before any clock runs.
 * Invariant: the name of a file holds a hash of all that its bytes depend on (kind, rows, seed, this program), and it
 * appears under that name only when it is whole; with its size noted beside it, a name that exists can be trusted.
 */
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { randomBelow } from './random.mjs';

/**
 * What file a case reads.
 *
 * @typedef {{ kind: 'ndjson' | 'csv' | 'text', rows: number, seed: number }} InputSpec
 */

/** @typedef {{ path: string, bytes: number, rows: number }} InputFile */

const DIRECTORY = join(tmpdir(), 'millrace-bench');
/** Text is gathered to this much before it is written. */
const CHUNK_BYTES = 4 * 1024 * 1024;

const START_MS = Date.UTC(2024, 0, 1);
const CITIES = 500;
const DEVICES = ['mobile', 'desktop', 'tablet', 'tv'];
const VOCABULARY = 20_000;

/** Each gives a function that makes the text of the next row. */
const ROWS = { ndjson: ndjsonRows, csv: csvRows, text: textRows };
const HEADERS = { ndjson: '', csv: 'id,time,city,device,price,quantity,session,ok\n', text: '' };

/**
 * The file for a spec; makes it when it is not there yet.
 *
 * @param {InputSpec} spec
 * @param {(message: string) => void} [tell] is told when something takes time
 * @returns {InputFile}
 */
export function prepareInput(spec, tell = () => {}) {
  mkdirSync(DIRECTORY, { recursive: true });
  const program = readFileSync(fileURLToPath(import.meta.url));
  const hash = createHash('sha256').update(JSON.stringify(spec)).update(program);
  const name = `${spec.kind}-${spec.rows}-${hash.digest('hex').slice(0, 12)}.${extension(spec)}`;
  const path = join(DIRECTORY, name);
  const known = knownBytes(path);
  if (known !== null) return { path, bytes: known, rows: spec.rows };
  tell(`making ${path}`);
  const aside = `${path}.${process.pid}.tmp`;
  try {
    writeInput(aside, spec);
    const { size } = statSync(aside);
    renameSync(aside, path);
    writeFileSync(`${path}.size`, String(size));
    return { path, bytes: size, rows: spec.rows };
  } finally {
    rmSync(aside, { force: true });
  }
}

/** @param {InputSpec} spec */
function extension({ kind }) {
  return kind === 'text' ? 'txt' : kind;
}

/** Size of a file that is there and whole, else null. */
function knownBytes(path) {
  if (!existsSync(path) || !existsSync(`${path}.size`)) return null;
  const bytes = Number(readFileSync(`${path}.size`, 'utf8'));
  return statSync(path).size === bytes ? bytes : null;
}

/**
 * @param {string} path
 * @param {InputSpec} spec
 */
function writeInput(path, { kind, rows, seed }) {
  const file = openSync(path, 'wx');
  try {
    const next = ROWS[kind](seed);
    let text = HEADERS[kind];
    for (let row = 0; row < rows; row++) {
      text += next(row);
      if (text.length < CHUNK_BYTES) continue;
      writeAll(file, text);
      text = '';
    }
    writeAll(file, text);
  } finally {
    closeSync(file);
  }
}

/** All texts here are ASCII, so that a character is a byte. */
function writeAll(file, text) {
  const bytes = Buffer.from(text, 'latin1');
  let written = 0;
  while (written < bytes.length) written += writeSync(file, bytes, written);
}

/** Sales as JSON, 143 bytes a row on average. */
function ndjsonRows(seed) {
  const next = sales(seed);
  return (row) => {
    const { time, city, device, price, quantity, session, ok } = next(row);
    return (
      `{"id":${row},"time":"${time}","city":"${city}","device":"${device}",` +
      `"price":${price},"quantity":${quantity},"session":"${session}","ok":${ok}}\n`
    );
  };
}

/** The same sales as CSV. */
function csvRows(seed) {
  const next = sales(seed);
  return (row) => {
    const { time, city, device, price, quantity, session, ok } = next(row);
    return `${row},${time},${city},${device},${price},${quantity},${session},${ok}\n`;
  };
}

/** Rows of a shop's log, in order of time. */
function sales(seed) {
  const below = randomBelow(seed);
  const cities = words(CITIES, 5, 12, below).map((word) => word[0].toUpperCase() + word.slice(1));
  let timeMs = START_MS;
  return () => {
    timeMs += below(2000);
    const cents = 100 + below(99_900);
    return {
      time: new Date(timeMs).toISOString(),
      city: cities[below(CITIES)],
      device: DEVICES[below(DEVICES.length)],
      price: cents / 100,
      quantity: 1 + below(12),
      session: below(4294967296).toString(16).padStart(8, '0'),
      ok: below(10) > 0,
    };
  };
}

/** Lines of 4 to 15 words; the word of rank r comes up about as often as 1/r, as in natural language. */
function textRows(seed) {
  const below = randomBelow(seed);
  const vocabulary = words(VOCABULARY, 2, 11, below);
  const ranks = Math.log(VOCABULARY);
  return () => {
    let line = '';
    const count = 4 + below(12);
    for (let word = 0; word < count; word++) {
      const rank = Math.floor(Math.exp((below(16_777_216) / 16_777_216) * ranks));
      line += word === 0 ? vocabulary[rank - 1] : ` ${vocabulary[rank - 1]}`;
    }
    return `${line}\n`;
  };
}

/** Different words of lower-case letters. */
function words(count, lengthMin, lengthMax, below) {
  const made = new Set();
  while (made.size < count) {
    const length = lengthMin + below(lengthMax - lengthMin + 1);
    let word = '';
    for (let at = 0; at < length; at++) word += String.fromCharCode(97 + below(26));
    made.add(word);
  }
  return [...made];
}
