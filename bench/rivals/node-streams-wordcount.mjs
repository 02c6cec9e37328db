/**
 * Node streams as a rival in counting words: the file as a stream, a Transform that cuts it into lines, and a Writable
 * that splits them and counts. Lines travel as arrays, one per chunk, and words do not travel at all: both would be
 * slower.
 */
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { sortedAnswer } from '../lib/answer.mjs';
import { linesOf, writable } from './node-streams-groupby.mjs';

/**
 * @param {import('../child.mjs').Request} request
 * @returns {Promise<import('../child.mjs').Outcome>}
 */
export async function run({ input }) {
  const counts = new Map();
  const counting = writable((lines) => {
    for (const line of lines) {
      for (const word of line.split(' ')) counts.set(word, (counts.get(word) ?? 0) + 1);
    }
  });
  await pipeline(createReadStream(input.path, { encoding: 'utf8' }), linesOf(), counting);
  return { records: input.rows, bytes: input.bytes, answer: () => sortedAnswer(counts) };
}
