/**
 * A digest of text: 64 bits that differ when the text differs, except by a chance nobody will meet; no defence against
 * someone who looks for two texts alike. Own code, because loading `node:crypto` takes a thread five milliseconds and
 * every thread of a run plans. Callers: derived uids, plan hashes. Runs on: any thread; pure. Invariant: the digest of
 * a text stays the same for ever, since uids of operators contain it.
 */

const FIRST_SEED = 0x243f6a88;
const SECOND_SEED = 0x85a308d3;
const FIRST_FACTOR = 0x9e3779b1;
const SECOND_FACTOR = 0x85ebca77;

/** Takes text in pieces; where one piece ends and the next begins makes no difference. */
export class TextDigest {
  #first = FIRST_SEED;
  #second = SECOND_SEED;

  update(text: string): this {
    let first = this.#first;
    let second = this.#second;
    for (let at = 0; at < text.length; at++) {
      const unit = text.charCodeAt(at);
      first = Math.imul(first ^ unit, FIRST_FACTOR);
      first ^= first >>> 15;
      second = Math.imul(second ^ unit, SECOND_FACTOR);
      second ^= second >>> 13;
    }
    this.#first = first;
    this.#second = second;
    return this;
  }

  /** Sixteen hex digits; any of them may be used alone. */
  hex(): string {
    const first = stirred(this.#first ^ Math.imul(this.#second, FIRST_FACTOR));
    return hexOf(first) + hexOf(stirred(this.#second ^ Math.imul(first, SECOND_FACTOR)));
  }
}

/** Every bit of the result depends on every bit of the number, as in the end of MurmurHash3. */
function stirred(number: number): number {
  let bits = number ^ (number >>> 16);
  bits = Math.imul(bits, 0x85ebca6b);
  bits ^= bits >>> 13;
  bits = Math.imul(bits, 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}

function hexOf(number: number): string {
  return (number >>> 0).toString(16).padStart(8, '0');
}
