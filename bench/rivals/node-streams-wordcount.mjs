/**
 * Node streams as a rival in counting words: the file as a stream, a Transform that cuts it into lines, another one
 * that cuts lines into words, and a Writable that counts. Arrays travel, since word by word is slower still.
 */
import { createReadStream } from 'node:fs';
import { Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { sortedAnswer } from '../lib/answer.mjs';
import { linesOf } from './node-streams-groupby.mjs';

const READ_BYTES = 1024 * 1024;

/**
 * @param {import('../child.mjs').Request} request
 * @returns {Promise<import('../child.mjs').Outcome>}
 */
export async function run({ input }) {
  const counts = new Map();
  const words = new Transform({
    objectMode: true,
    transform(lines, _, done) {
      done(
        null,
        lines.flatMap((line) => line.split(' ')),
      );
    },
  });
  const counting = new Writable({
    objectMode: true,
    write(batch, _, done) {
      for (const word of batch) counts.set(word, (counts.get(word) ?? 0) + 1);
      done();
    },
  });
  const source = createReadStream(input.path, { highWaterMark: READ_BYTES, encoding: 'utf8' });
  await pipeline(source, linesOf(), words, counting);
  return { records: input.rows, bytes: input.bytes, answer: () => sortedAnswer(counts) };
}
