import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CheckpointManifest, StatePiece } from '../../../src/checkpoint/contract.js';
import { keyGroupRange } from '../../../src/record/key-group.js';
import { RestoredState } from '../../../src/runtime/restored-state.js';
import { OperatorStateStore } from '../../../src/state/operator-state.js';

const MAX = 16;
const PARALLELISM = fc.integer({ min: 1, max: 6 });

type Piece = CheckpointManifest['pieces'][number];

function read({ at }: StatePiece): Uint8Array {
  if (!('bytes' in at)) throw new Error('All is in memory here.');
  return at.bytes;
}

function operatorOf(parallelism: number): CheckpointManifest['operators'][number] {
  return { uid: 'op', name: 'op', parallelism, maxParallelism: MAX, isFinished: false };
}

/** What each of so many subtasks is given of an operator whose state was taken at another parallelism. */
function dealt(pieces: readonly Piece[], before: number, now: number) {
  const state = new RestoredState({ pieces, operators: [operatorOf(before)] }, read);
  return Array.from({ length: now }, (_, subtask) =>
    state.sourceFor({ subtask, parallelism: now, maxParallelism: MAX }),
  );
}

describe('restored state', () => {
  it('gives every piece of every key group to the one subtask that owns the group, in order', () => {
    fc.assert(
      fc.property(
        PARALLELISM,
        PARALLELISM,
        fc.integer({ min: 1, max: 3 }),
        (before, now, chain) => {
          const pieces = Array.from({ length: before }, (_, subtask) => subtask).flatMap(
            (subtask) => {
              const { start, end } = keyGroupRange(subtask, before, MAX);
              return Array.from({ length: chain * (end - start) }, (_, at): Piece => {
                const keyGroup = start + (at % (end - start));
                const bytes = Uint8Array.of(keyGroup, Math.floor(at / (end - start)));
                return {
                  uid: 'op',
                  name: 'sums',
                  keyGroup,
                  isChanges: at >= end - start,
                  at: { bytes },
                  subtask,
                };
              });
            },
          );
          const got = dealt(pieces, before, now).map((source) => [...source.get('op', 'sums')]);
          expect(got.flat()).toHaveLength(chain * MAX);
          for (const [subtask, given] of got.entries()) {
            const { start, end } = keyGroupRange(subtask, now, MAX);
            for (let keyGroup = start; keyGroup < end; keyGroup++) {
              const own = given.filter((piece) => piece.keyGroup === keyGroup);
              expect(own.map(({ bytes }) => [...bytes])).toEqual(
                Array.from({ length: chain }, (_, link) => [keyGroup, link]),
              );
            }
          }
        },
      ),
    );
  });

  it('deals the items of lists evenly, gives union lists to all, broadcast maps to each', () => {
    fc.assert(
      fc.property(PARALLELISM, PARALLELISM, fc.nat(5), (before, now, items) => {
        const pieces: Piece[] = [];
        for (let subtask = 0; subtask < before; subtask++) {
          const store = new OperatorStateStore('op');
          const all = Array.from({ length: items }, (_, at) => `${subtask}/${at}`);
          store.list<string>('own').update(all);
          store.unionList<string>('all').update(all);
          store.broadcast<string, number>('rules').put('limit', 7);
          const sink = {
            put: (uid: string, name: string, keyGroup: number, bytes: Uint8Array) => {
              pieces.push({ uid, name, keyGroup, isChanges: false, at: { bytes }, subtask });
            },
          };
          for (const writer of store.beginSnapshot()) while (!writer.step(sink, { left: 100 }));
        }
        const stores = dealt(pieces, before, now).map((source) => {
          const store = new OperatorStateStore('op');
          store.restore(source);
          return store;
        });
        const lists = stores.map((store) => [...store.list<string>('own').get()]);
        expect(lists.flat().toSorted()).toHaveLength(before * items);
        expect(new Set(lists.flat()).size).toBe(before * items);
        const sizes = lists.map(({ length }) => length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
        if (before === now) expect(lists[0].every((item) => item.startsWith('0/'))).toBe(true);
        for (const store of stores) {
          expect(store.unionList('all').get()).toHaveLength(before * items);
          expect([...store.broadcast('rules').entries()]).toEqual([['limit', 7]]);
        }
      }),
    );
  });
});
