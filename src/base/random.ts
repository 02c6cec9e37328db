/**
 * Seeded randomness: the one generator of the engine, so that every run can be repeated from its seed.
 * Callers: datagen, shuffle, rebalance start, simulation. Runs on: any thread.
 */

/** A source of randomness that repeats from its seed. */
export interface Random {
  /** A whole number in [0, 2^32). */
  nextUint32(): number;
  /** A number in [0, 1) with 32 random bits. */
  next(): number;
  /** A whole number in [0, bound); bound at most 2^32. */
  below(bound: number): number;
}

/** xoshiro128** by Blackman and Vigna (https://prng.di.unimi.it), seeded by splitmix32. */
export class SeededRandom implements Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(seed: number) {
    let state = seed | 0;
    const mix = (): number => {
      state = (state + 0x9e3779b9) | 0;
      let z = state ^ (state >>> 16);
      z = Math.imul(z, 0x21f0aaad);
      z ^= z >>> 15;
      z = Math.imul(z, 0x735a2d97);
      return z ^ (z >>> 15);
    };
    this.#a = mix();
    this.#b = mix();
    this.#c = mix();
    this.#d = mix() | 1;
  }

  nextUint32(): number {
    const five = Math.imul(this.#b, 5);
    const result = Math.imul((five << 7) | (five >>> 25), 9) >>> 0;
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result;
  }

  next(): number {
    return this.nextUint32() / 4294967296;
  }

  below(bound: number): number {
    return Math.floor(this.next() * bound);
  }
}

/** A seed that nobody chose, for runs that were not given one; print it so that they can be repeated. */
export function freshSeed(): number {
  return Math.floor(Math.random() * 4294967296);
}

/** 32 hex digits that nobody else has drawn: an id of a job, a bundle or an operation. */
export function freshId(): string {
  const words = Array.from({ length: 4 }, () => freshSeed().toString(16).padStart(8, '0'));
  return words.join('');
}

/** 64 hex digits that nobody can guess. */
export function freshSecret(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('hex');
}
