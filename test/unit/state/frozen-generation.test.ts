import { describe, expect, it } from 'vitest';
import { ByteArena } from '../../../src/state/byte-arena.js';
import type { TablePage } from '../../../src/state/contract.js';
import { FrozenGeneration } from '../../../src/state/frozen-generation.js';
import { HotIndex } from '../../../src/state/hot-index.js';
import { KeyTexts } from '../../../src/state/key-texts.js';
import { PageMarks, setBit } from '../../../src/state/page-marks.js';
import { compileTable } from '../../../src/state/table-code.js';
import { tableShape } from '../../../src/state/table-shape.js';

/** Four entries per page. */
const PAGE_SHIFT = 2;

/** A table reduced to what a frozen generation sees: entry n has key n and value 10 n. */
class Owner {
  generation = 1;
  readonly confirmed = 0;
  readonly confirmable = 1;
  readonly nowMs = 0;
  readonly stampMs = 0;
  readonly pages: TablePage[] = [];
  readonly marks: PageMarks[] = [];
  readonly tombstones: number[] = [];
  readonly frozen: FrozenGeneration;

  constructor(pages: number) {
    const shape = tableShape(
      {
        name: 't',
        keys: [{ kind: 'number' }],
        columns: [{ name: 'v', form: 'f64' }],
        ttlMs: null,
      },
      PAGE_SHIFT,
    );
    const unused = (): never => expect.unreachable();
    const arena = new ByteArena(
      () => false,
      () => {},
    );
    const code = compileTable(shape, {
      table: {
        ...this,
        created: false,
        fetch: null,
        take: unused,
        open: unused,
        reset: unused,
      },
      pages: this.pages,
      marks: this.marks,
      index: new HotIndex(),
      divided: null,
      arena,
      keyTexts: new KeyTexts(arena),
    });
    for (let at = 0; at < pages; at++) {
      const page = code.makePage();
      for (let offset = 0; offset < 4; offset++) {
        page.k0[offset] = (at * 4 + offset) as never;
        page.c0[offset] = (at * 40 + offset * 10) as never;
      }
      this.pages.push(page);
      this.marks.push(new PageMarks(4, 1, false));
    }
    this.frozen = new FrozenGeneration(this, shape, code);
  }

  put(entry: number, isAlive = true): void {
    const marks = this.marks[entry >> PAGE_SHIFT] as PageMarks;
    setBit(marks.used, entry & 3);
    if (isAlive) setBit(marks.alive, entry & 3);
    setBit(marks.dirty, entry & 3);
  }

  drained(entry: number): void {
    this.tombstones.push(entry);
  }

  /** Drains up to `max` entries: keys and values, and whether that was all. */
  drain(max: number, full: boolean): readonly [readonly unknown[], boolean] {
    const seen: unknown[] = [];
    const isDone = this.frozen.drain(max, full, ({ k0, c0 }, o, _group, _stamp, isRemoved) =>
      seen.push(isRemoved ? `-${k0[o]}` : `${k0[o]}=${c0[o]}`),
    );
    return [seen, isDone];
  }
}

describe('FrozenGeneration', () => {
  it('has nothing to drain before it begins', () => {
    expect(new Owner(1).drain(10, true)).toEqual([[], true]);
  });

  it('gives entries from their places, tombstones only among changes, and tells of removed ids', () => {
    for (const full of [true, false]) {
      const owner = new Owner(2);
      owner.put(1);
      owner.put(2, false);
      owner.put(5);
      owner.generation = 2;
      owner.frozen.begin();
      const wanted = full ? ['1=10', '5=50'] : ['1=10', '-2', '5=50'];
      expect(owner.drain(100, full)).toEqual([wanted, true]);
      expect(owner.tombstones).toEqual([2]);
      expect(owner.frozen.isFrozen).toBe(false);
    }
  });

  it('gives what was preserved before a change, once, from the delta', () => {
    const owner = new Owner(1);
    owner.put(0);
    owner.put(3);
    owner.generation = 2;
    owner.frozen.begin();
    const [marks] = owner.marks;
    marks?.roll(owner);
    owner.frozen.preserve(0);
    if (marks !== undefined) setBit(marks.dirty, 0);
    const [page] = owner.pages;
    if (page !== undefined) page.c0[0] = -1 as never;
    expect(owner.frozen.bytes).toBeGreaterThan(0);
    expect(owner.drain(100, false)).toEqual([['3=30', '0=0'], true]);
    expect(owner.frozen.bytes).toBe(0);
  });

  it('preserves nothing that is drained already', () => {
    const owner = new Owner(2);
    for (let entry = 0; entry < 8; entry++) owner.put(entry);
    owner.generation = 2;
    owner.frozen.begin();
    expect(owner.drain(3, true)).toEqual([['0=0', '1=10', '2=20'], false]);
    owner.marks[0]?.roll(owner);
    owner.frozen.preserve(1);
    expect(owner.frozen.bytes).toBe(0);
    expect(owner.drain(3, true)[0]).toEqual(['3=30']);
  });

  it('bounds the pages it looks at per slice, and comes to the end in slices of one', () => {
    const owner = new Owner(100);
    owner.put(399);
    owner.generation = 2;
    owner.frozen.begin();
    expect(owner.drain(80, true)).toEqual([[], false]);
    const seen: unknown[] = [];
    for (let call = 0; owner.frozen.isFrozen; call++) {
      expect(call).toBeLessThan(200);
      seen.push(...owner.drain(1, true)[0]);
    }
    expect(seen).toEqual(['399=3990']);
  });

  it('refuses to change its mind between slices', () => {
    const owner = new Owner(1);
    owner.put(0);
    owner.put(1);
    owner.generation = 2;
    owner.frozen.begin();
    owner.drain(1, true);
    expect(() => owner.drain(1, false)).toThrow(/same kind/);
  });
});
