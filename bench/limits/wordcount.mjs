/**
 * The limit of `wordcount`: two threads look at each byte once and count words in typed arrays. A word of up to 16
 * bytes is four numbers, so that comparing it with another one takes no loop; this text has no longer ones.
 */
import { sortedAnswer } from '../lib/answer.mjs';
import { addedUp } from '../lib/byte-groups.mjs';
import { chunkCounter, eachChunk } from '../lib/chunks.mjs';
import { onThreads, serveThread } from '../lib/threads.mjs';

const SPACE = 0x20;
const WORD_BYTES_MAX = 16;
const WORDS_MAX = 32_768;
const INDEX_BITS = 16;
const INDEX_MASK = 2 ** INDEX_BITS - 1;

/** Which bits of each of the four numbers belong to a word, by its length. */
const MASKS = Int32Array.from({ length: (WORD_BYTES_MAX + 1) * 4 }, (_, index) => {
  const bytes = Math.min(4, Math.max(0, (index >> 2) - (index & 3) * 4));
  return bytes === 4 ? -1 : 2 ** (8 * bytes) - 1;
});

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

class Words {
  count = 0;
  index = new Int32Array(INDEX_MASK + 1);
  /** Four numbers per word. */
  words = new Int32Array(WORDS_MAX * 4);
  counts = new Float64Array(WORDS_MAX);

  add(a, b, c, d) {
    if (this.count === WORDS_MAX) throw new Error('There are more words than expected.');
    this.words.set([a, b, c, d], this.count * 4);
    this.counts[this.count] = 1;
    return ++this.count;
  }

  rows() {
    const bytes = Buffer.from(this.words.buffer);
    return Array.from({ length: this.count }, (_, word) => {
      const text = bytes.toString('latin1', word * WORD_BYTES_MAX, (word + 1) * WORD_BYTES_MAX);
      return [text.replace(/\0+$/, ''), this.counts[word]];
    });
  }
}

/** A word ends at a space or a newline; there are no other characters up to the space. */
function countWords(groups, bytes, view, start, end) {
  const { index, words, counts } = groups;
  let from = start;
  for (let at = start; at < end; at++) {
    if (bytes[at] > SPACE) continue;
    const length = at - from;
    if (length > WORD_BYTES_MAX) throw new Error('A word is longer than expected.');
    if (length > 0) {
      const mask = length * 4;
      const a = view.getInt32(from, true) & MASKS[mask];
      const b = view.getInt32(from + 4, true) & MASKS[mask + 1];
      const c = view.getInt32(from + 8, true) & MASKS[mask + 2];
      const d = view.getInt32(from + 12, true) & MASKS[mask + 3];
      const mixed = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b);
      const hash = mixed ^ Math.imul(c ^ (d << 5), 0xc2b2ae35);
      let slot = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> (32 - INDEX_BITS);
      for (;;) {
        const word = index[slot] - 1;
        if (word < 0) {
          index[slot] = groups.add(a, b, c, d);
          break;
        }
        const at4 = word * 4;
        const isWord =
          words[at4] === a && words[at4 + 1] === b && words[at4 + 2] === c && words[at4 + 3] === d;
        if (isWord) {
          counts[word]++;
          break;
        }
        slot = (slot + 1) & INDEX_MASK;
      }
    }
    from = at + 1;
  }
}

serveThread(({ path, counter }) => {
  const groups = new Words();
  let view = null;
  eachChunk(path, counter, (bytes, start, end) => {
    view ??= new DataView(bytes.buffer);
    countWords(groups, bytes, view, start, end);
  });
  return groups.rows();
});
