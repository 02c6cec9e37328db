import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { FramedSocket } from '../../../src/runtime/framed-socket.js';

/** Two ends of one connection, over which bytes go in pieces of a size. */
function connected(pieceBytes: number): readonly [Duplex, Duplex] {
  const ends: Duplex[] = [];
  const make = (other: number): Duplex =>
    new Duplex({
      read: () => {},
      write: (chunk: Buffer, _encoding, done) => {
        for (let at = 0; at < chunk.length; at += pieceBytes) {
          ends[other]?.push(chunk.subarray(at, at + pieceBytes));
        }
        done();
      },
      destroy: (error, done) => {
        ends[other]?.push(null);
        done(error);
      },
    });
  ends.push(make(1), make(0));
  return [ends[0] as Duplex, ends[1] as Duplex];
}

/** Lets all that was written arrive. */
const arrived = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

describe('FramedSocket', () => {
  it.each([1, 3, 1000])('passes values on as they were, in pieces of %d bytes', async (bytes) => {
    const [one, other] = connected(bytes).map((end) => new FramedSocket(end));
    if (one === undefined || other === undefined) throw new Error('There are two ends.');
    one.greet({ epoch: 3 });
    expect(await other.hello()).toEqual({ epoch: 3 });
    const values = [new Map([['a', 1n]]), { bytes: new Uint8Array([1, 2]) }, [null, undefined, -0]];
    for (const value of values) expect(await one.send(value)).toBe(true);
    const seen: unknown[] = [];
    await arrived();
    // Nobody has listened so far, and nothing is lost.
    other.listen((value) => seen.push(value));
    for (let turn = 0; turn < 1000 && seen.length < values.length; turn++) await arrived();
    expect(seen).toEqual(values);
  });

  it('takes nothing but a short greeting from whoever is not known yet', async () => {
    for (const bytes of [Buffer.from([0xff, 0xff, 0, 0, 1]), Buffer.from([2, 0, 0, 0, 1, 2])]) {
      const [one, end] = connected(1000);
      const other = new FramedSocket(end);
      const hello = other.hello();
      one.write(bytes);
      expect(await hello).toBeNull();
      expect(other.isOpen).toBe(false);
    }
  });

  it('says that what it sends does not arrive any more', async () => {
    const [end] = connected(1000);
    const one = new FramedSocket(end);
    one.close();
    await one.closed;
    expect(await one.send({})).toBe(false);
  });
});
