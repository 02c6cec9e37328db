import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../src/base/random.js';
import { ByteArena } from '../../../src/state/byte-arena.js';

/** Owners with one record each, as a table has them. */
class Owners {
  readonly positions = new Map<number, number>();
  readonly texts = new Map<number, string>();
  readonly arena = new ByteArena(
    (owner, position) => this.positions.get(owner) === position,
    (owner, _, to) => this.positions.set(owner, to),
  );

  put(owner: number, text: string): void {
    const before = this.positions.get(owner);
    if (before !== undefined) this.arena.free(before);
    this.positions.delete(owner);
    const bytes = Buffer.from(text);
    this.positions.set(owner, this.arena.append(bytes, 0, bytes.length, owner));
    this.texts.set(owner, text);
  }

  check(): void {
    const wrong = [...this.texts].filter(
      ([owner, text]) => this.arena.text(this.positions.get(owner) ?? 0) !== text,
    );
    expect(wrong).toEqual([]);
  }
}

describe('ByteArena', () => {
  it('keeps texts, bytes and lengths, and compares by bytes', () => {
    const arena = new ByteArena(
      () => false,
      () => {},
    );
    const bytes = Buffer.from('xxgrößexx');
    const position = arena.append(bytes, 2, 9, 1);
    expect(position).toBeGreaterThan(0);
    expect(arena.text(position)).toBe('größe');
    expect([...arena.copy(position)]).toEqual([...Buffer.from('größe')]);
    expect(arena.equals(position, bytes, 2, 9)).toBe(true);
    expect(arena.equals(position, bytes, 2, 8)).toBe(false);
    expect(arena.equals(position, bytes, 1, 8)).toBe(false);
    expect(arena.text(0)).toBe('');
    expect(arena.copy(0)).toHaveLength(0);
  });

  it('starts small and holds records larger than a chunk', () => {
    const owners = new Owners();
    owners.put(1, 'a');
    expect(owners.arena.heldBytes).toBeLessThanOrEqual(16 * 1024);
    owners.put(2, 'b'.repeat(5_000_000));
    owners.put(3, 'c');
    owners.check();
    owners.put(2, 'gone');
    owners.put(4, 'd'.repeat(2_000_000));
    owners.check();
    expect(owners.arena.heldBytes).toBeLessThan(4_000_000);
  });

  it('stays within a small multiple of what lives, however often texts are replaced', () => {
    const owners = new Owners();
    const random = new SeededRandom(7);
    for (let step = 0; step < 60_000; step++) {
      owners.put(random.below(3000), `${step} ${'x'.repeat(random.below(120))}`);
    }
    owners.check();
    const living = [...owners.texts.values()].reduce((sum, text) => sum + text.length + 12, 0);
    expect(owners.arena.heldBytes).toBeLessThan(4 * living + 4 * 2 ** 20);
  });

  it('moves and frees nothing while it is on hold, and catches up afterwards', () => {
    const owners = new Owners();
    for (let owner = 0; owner < 40_000; owner++) owners.put(owner, `text of owner ${owner}`);
    owners.arena.hold(true);
    const before = new Map(owners.positions);
    for (let owner = 0; owner < 39_000; owner++) owners.put(owner, 'new');
    const moved = [...before].filter(
      ([owner, position]) => owners.arena.text(position) !== `text of owner ${owner}`,
    );
    expect(moved).toEqual([]);
    const held = owners.arena.heldBytes;
    owners.arena.hold(false);
    for (let step = 0; step < 1000; step++) owners.arena.compact(1000);
    expect(owners.arena.heldBytes).toBeLessThan(held);
    owners.check();
  });

  it('frees everything', () => {
    const owners = new Owners();
    for (let owner = 0; owner < 1000; owner++) owners.put(owner, 'x'.repeat(1000));
    owners.arena.clear();
    expect(owners.arena.heldBytes).toBe(0);
    expect(owners.arena.deadBytes).toBe(0);
  });
});
