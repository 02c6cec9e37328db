/**
 * The limit of `wordcount`: two threads look at each byte once, hash as they go, and count words in typed arrays.
 */
import { sortedAnswer } from '../lib/answer.mjs';
import { addedUp, ByteGroups } from '../lib/byte-groups.mjs';
import { chunkCounter, eachChunk } from '../lib/chunks.mjs';
import { onThreads, serveThread } from '../lib/threads.mjs';

const SPACE = 0x20;
const WORDS_MAX = 32_768;

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

/** A word ends at a space or a newline; there are no other characters up to the space. */
function countWords(groups, bytes, start, end) {
  const { numbers } = groups;
  let word = start;
  let hash = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    if (byte > SPACE) {
      hash = (Math.imul(hash, 31) + byte) | 0;
      continue;
    }
    if (at > word) numbers[groups.at(bytes, word, at, hash)]++;
    word = at + 1;
    hash = 0;
  }
}

serveThread(({ path, counter }) => {
  const groups = new ByteGroups(WORDS_MAX, 1);
  eachChunk(path, counter, (bytes, start, end) => countWords(groups, bytes, start, end));
  return groups.rows();
});
