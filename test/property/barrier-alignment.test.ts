import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CheckpointTrigger } from '../../src/checkpoint/contract.js';
import { barrierPayload } from '../../src/runtime/barrier.js';
import { BarrierAlignment } from '../../src/runtime/barrier-alignment.js';

const clock = { epochMs: () => 0, monotonicMs: () => 0 };

function payloadOf(id: number): Uint8Array {
  const trigger: CheckpointTrigger = {
    id,
    timestampMs: 7,
    kind: 'checkpoint',
    stop: 'none',
    isFull: true,
    isShared: false,
  };
  return barrierPayload(trigger);
}

/** What a channel carries: rows, and the barriers of the checkpoints that its producer began. */
type Item = 'row' | number;
interface Channel {
  readonly items: readonly Item[];
}

/** Barriers 1 to `count` in order, of which some producers leave some out, with rows between them. */
function channels(count: number): fc.Arbitrary<readonly Channel[]> {
  const ids = Array.from({ length: count }, (_, index) => index + 1);
  const channel = fc
    .tuple(fc.array(fc.nat(3), { minLength: count + 1, maxLength: count + 1 }), fc.array(fc.nat(9)))
    .map(([rows, dice]) => ({
      items: ids.flatMap((id, at): Item[] => {
        const before = Array.from({ length: rows[at] }, () => 'row' as const);
        return dice[at] === 0 ? before : [...before, id];
      }),
    }));
  return fc.array(channel, { minLength: 1, maxLength: 4 });
}

interface Seen {
  readonly id: number;
  /** How far each channel had been read. */
  readonly read: readonly number[];
}

/** Reads the channels in an order that `order` chooses among those that may be read. */
function readAll(given: readonly Channel[], order: readonly number[], blocks: boolean): Seen[] {
  const alignment = new BarrierAlignment(given.length, clock, blocks);
  const read = given.map(() => 0);
  const open = new Set(given.keys());
  const seen: Seen[] = [];
  for (let turn = 0; open.size > 0; turn++) {
    const ready = [...open].filter((channel) => !alignment.isBlocked(channel));
    expect(ready.length, 'all channels wait for each other').toBeGreaterThan(0);
    const channel = ready[(order[turn % Math.max(1, order.length)] ?? 0) % ready.length];
    const item = given[channel].items.at(read[channel]);
    if (read[channel] < given[channel].items.length) read[channel]++;
    else open.delete(channel);
    const aligned =
      item === undefined
        ? alignment.end(channel)
        : item === 'row'
          ? null
          : alignment.barrier(channel, payloadOf(item));
    if (aligned !== null) seen.push({ id: aligned.trigger.id, read: [...read] });
  }
  return seen;
}

describe('the alignment of barriers', () => {
  it('takes every checkpoint that no channel left out, once and in order', () => {
    fc.assert(
      fc.property(channels(4), fc.array(fc.nat(3)), fc.boolean(), (given, order, blocks) => {
        const ids = readAll(given, order, blocks).map(({ id }) => id);
        expect(ids).toEqual([...new Set(ids)].toSorted((a, b) => a - b));
        const everywhere = [1, 2, 3, 4].filter((id) =>
          given.every(({ items }) => items.includes(id)),
        );
        expect(ids).toEqual(expect.arrayContaining(everywhere));
      }),
    );
  });

  it('with exactly once, has read all that is before the barrier and nothing that is behind it', () => {
    fc.assert(
      fc.property(channels(4), fc.array(fc.nat(3)), (given, order) => {
        for (const { id, read } of readAll(given, order, true)) {
          for (const [channel, { items }] of given.entries()) {
            const at = items.indexOf(id);
            // A channel without the barrier had ended, or had shown that it leaves it out.
            if (at >= 0) expect(read[channel]).toBe(at + 1);
          }
        }
      }),
    );
  });

  it('with at least once, reads on, and has read at least what is before the barrier', () => {
    fc.assert(
      fc.property(channels(3), fc.array(fc.nat(3)), (given, order) => {
        for (const { id, read } of readAll(given, order, false)) {
          for (const [channel, { items }] of given.entries()) {
            expect(read[channel]).toBeGreaterThan(items.indexOf(id));
          }
        }
      }),
    );
  });

  it('gives back what the trigger was', () => {
    const alignment = new BarrierAlignment(1, clock, true);
    const trigger: CheckpointTrigger = {
      id: 2 ** 33,
      timestampMs: 1.7e12,
      kind: 'savepoint',
      stop: 'suspend',
      isFull: true,
      isShared: false,
    };
    expect(alignment.barrier(0, barrierPayload(trigger))?.trigger).toEqual(trigger);
  });
});
