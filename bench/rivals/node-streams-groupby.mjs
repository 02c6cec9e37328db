/**
 * Node streams as a rival: the file as a stream, a Transform that cuts it into lines, another one that parses them, and
 * a Writable that adds up. Lines and records travel as arrays, one per chunk, since one by one is slower still. CSV is
 * parsed by the package `csv-parse`, the usual one, whose records come one by one.
 */
import { createReadStream } from 'node:fs';
import { Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parse as parseCsv } from 'csv-parse';
import { sortedAnswer } from '../lib/answer.mjs';

/** The default of file streams; larger pieces are slower, since their strings leave the cache. */
const READ_BYTES = 64 * 1024;

/**
 * Options: `format`, 'ndjson' or 'csv'.
 *
 * @param {import('../child.mjs').Request} request
 * @returns {Promise<import('../child.mjs').Outcome>}
 */
export async function run({ input, options }) {
  const groups = new Map();
  const source = createReadStream(input.path, { highWaterMark: READ_BYTES });
  if (options.format === 'csv') {
    await pipeline(
      source,
      parseCsv({ columns: true }),
      writable((sale) => add(groups, sale)),
    );
  } else {
    source.setEncoding('utf8');
    const addAll = (sales) => sales.forEach((sale) => add(groups, sale));
    await pipeline(source, linesOf(), parsing(), writable(addAll));
  }
  return { records: input.rows, bytes: input.bytes, answer: () => sortedAnswer(groups.values()) };
}

/** Text in any pieces to arrays of whole lines. */
export function linesOf() {
  let rest = '';
  return new Transform({
    objectMode: true,
    transform(text, _, done) {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      done(null, lines);
    },
    flush(done) {
      done(null, rest === '' ? null : [rest]);
    },
  });
}

function parsing() {
  return new Transform({
    objectMode: true,
    transform(lines, _, done) {
      done(
        null,
        lines.map((line) => JSON.parse(line)),
      );
    },
  });
}

/** A stream's end that calls a function with what arrives. */
export function writable(take) {
  return new Writable({
    objectMode: true,
    write(value, _, done) {
      take(value);
      done();
    },
  });
}

function add(groups, sale) {
  const price = Number(sale.price);
  const quantity = Number(sale.quantity);
  const group = groups.get(sale.city);
  if (group === undefined) groups.set(sale.city, [sale.city, price, quantity]);
  else {
    group[1] += price;
    group[2] += quantity;
  }
}
