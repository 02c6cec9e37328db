import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import type { Parker } from '../../../src/ring/contract.js';
import {
  AsyncParker,
  BlockingParker,
  createParkerWord,
  wakerFor,
} from '../../../src/ring/parker.js';

function newWord(): Int32Array {
  return createParkerWord(new SharedArrayBuffer(128), 0);
}

const KINDS: readonly [string, (word: Int32Array) => Parker][] = [
  ['blocking', (word) => new BlockingParker(word)],
  ['asynchronous', (word) => new AsyncParker(word)],
];

describe.each(KINDS)('%s parker', (_, make) => {
  it('returns at once when it is woken between announcing and parking', async () => {
    const word = newWord();
    const parker = make(word);
    const ticket = parker.announce();
    wakerFor(word).wake();
    await parker.park(ticket, Number.POSITIVE_INFINITY);
    expect(Atomics.load(word, 0) & 1).toBe(0);
  });

  it('returns when its time is over, and is then not announced', async () => {
    const word = newWord();
    const parker = make(word);
    await parker.park(parker.announce(), 1);
    const before = Atomics.load(word, 0);
    wakerFor(word).wake();
    expect(Atomics.load(word, 0)).toBe(before);
  });

  it('leaves the word alone when nobody has announced, or the announcement was withdrawn', () => {
    const word = newWord();
    const parker = make(word);
    wakerFor(word).wake();
    expect(Atomics.load(word, 0)).toBe(0);
    parker.announce();
    parker.withdraw();
    parker.wake();
    expect(Atomics.load(word, 0)).toBe(0);
  });

  it('goes on when its tickets wrap', async () => {
    const word = newWord();
    Atomics.store(word, 0, 0x7ffffffe);
    const parker = make(word);
    const ticket = parker.announce();
    parker.wake();
    expect(Atomics.load(word, 0)).toBe(-0x80000000);
    await parker.park(ticket, Number.POSITIVE_INFINITY);
    const next = parker.announce();
    expect(next).not.toBe(ticket);
    parker.wake();
    await parker.park(next, Number.POSITIVE_INFINITY);
  });
});

describe('asynchronous parker', () => {
  it('is woken by its own thread and keeps the loop alive only meanwhile', async () => {
    const word = newWord();
    const calls: string[] = [];
    const parker = new AsyncParker(word, () => {
      calls.push('hold');
      const timer = setInterval(() => {}, 60_000);
      return () => {
        clearInterval(timer);
        calls.push('let go');
      };
    });
    const parked = parker.park(parker.announce(), Number.POSITIVE_INFINITY);
    expect(calls).toEqual(['hold']);
    parker.wake();
    await parked;
    expect(calls).toEqual(['hold', 'let go']);
  });
});

describe('blocking parker', () => {
  it('is woken by another thread', () => {
    const word = newWord();
    const parker = new BlockingParker(word);
    const ticket = parker.announce();
    const wakes = `
      const { workerData } = require('node:worker_threads');
      Atomics.add(workerData, 0, 1);
      Atomics.notify(workerData, 0);
    `;
    const worker = new Worker(wakes, { eval: true, workerData: word });
    parker.park(ticket, Number.POSITIVE_INFINITY);
    expect(Atomics.load(word, 0)).not.toBe(ticket);
    return worker.terminate();
  });
});
