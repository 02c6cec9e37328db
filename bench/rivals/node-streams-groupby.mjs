/**
 * Node streams as a rival: the file as a stream, a Transform that cuts it into lines, another one that parses them, and
 * a Writable that adds up. Lines travel as arrays, one per chunk, since one by one is slower still.
 */
import { createReadStream } from 'node:fs';
import { Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parse as parseCsv } from 'csv-parse';
import { sortedAnswer } from '../lib/answer.mjs';

const READ_BYTES = 1024 * 1024;

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
    // The usual package for it; `columns` gives objects by header.
    await pipeline(source, parseCsv({ columns: true }), addingUp(groups));
  } else {
    source.setEncoding('utf8');
    await pipeline(source, linesOf(), parsing(), unpacking(), addingUp(groups));
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

/** Arrays to records, so that what follows is a stream of records, as people write them. */
function unpacking() {
  return new Transform({
    objectMode: true,
    transform(records, _, done) {
      for (const record of records) this.push(record);
      done();
    },
  });
}

function addingUp(groups) {
  return new Writable({
    objectMode: true,
    write(sale, _, done) {
      const price = Number(sale.price);
      const quantity = Number(sale.quantity);
      const group = groups.get(sale.city);
      if (group === undefined) groups.set(sale.city, [sale.city, price, quantity]);
      else {
        group[1] += price;
        group[2] += quantity;
      }
      done();
    },
  });
}
