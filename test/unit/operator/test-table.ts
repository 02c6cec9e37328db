/**
 * A state table in a page or more, by a map from keys to entries: slow, plain, and right. Callers: tests of chains
 * that are not about tables.
 */
import { PAGE_MASK, PAGE_SHIFT } from '../../../src/state/contract.js';
import type { StateTable, TableEntry, TablePage, TableSpec } from '../../../src/state/contract.js';
import { formOf } from '../../../src/record/schema.js';
import { decodeText } from '../../../src/record/text.js';
import { TEXT_WTF8 } from '../../../src/record/column.js';

interface Slot {
  readonly group: number;
  readonly id: string;
  readonly key: readonly unknown[];
  isLive: boolean;
}
type Cell = number | bigint | string | unknown;

export function createTestTable(spec: TableSpec): StateTable {
  return new TestTable(spec);
}

class TestTable implements StateTable {
  readonly spec: TableSpec;
  readonly pages: TablePage[] = [];
  readonly bytes = 0;
  created = false;
  nowMs = 0;
  readonly isFrozen = false;
  readonly #byKey = new Map<string, number>();
  readonly #slots: Slot[] = [];

  constructor(spec: TableSpec) {
    this.spec = spec;
  }

  get entries(): number {
    return this.#byKey.size;
  }

  readonly upsert = (group: number, _hash: number, ...args: unknown[]): number => {
    const key = this.#keyOf(args);
    const id = keyId(key);
    const known = this.#byKey.get(id);
    this.created = known === undefined;
    return known ?? this.#add(group, id, key);
  };

  readonly find = (_group: number, _hash: number, ...args: unknown[]): number =>
    this.#byKey.get(keyId(this.#keyOf(args))) ?? -1;

  #add(group: number, id: string, key: readonly unknown[]): number {
    const entry = this.#slots.length;
    this.#slots.push({ group, id, key, isLive: true });
    this.#byKey.set(id, entry);
    if (entry >>> PAGE_SHIFT === this.pages.length) this.pages.push(this.#page());
    const page = this.pages[entry >>> PAGE_SHIFT] as unknown as Record<string, Cell[]>;
    key.forEach((value, index) => {
      page[`k${index}`][entry & PAGE_MASK] = typeof value === 'boolean' ? Number(value) : value;
    });
    return entry;
  }

  #page(): TablePage {
    const page: Record<string, unknown> = {};
    const rows = PAGE_MASK + 1;
    this.spec.keys.forEach((_, index) => {
      page[`k${index}`] = new Array(rows).fill(undefined);
    });
    this.spec.columns.forEach(({ form }, index) => {
      page[`c${index}`] =
        form === 'f64'
          ? new Float64Array(rows)
          : form === 'i32'
            ? new Int32Array(rows)
            : form === 'u8'
              ? new Uint8Array(rows)
              : form === 'i64'
                ? new BigInt64Array(rows)
                : new Array(rows).fill(undefined);
    });
    return page as TablePage;
  }

  #keyOf(args: readonly unknown[]): readonly unknown[] {
    let at = 0;
    return this.spec.keys.map((type) => {
      const form = formOf(type);
      if (form === 'utf8' || form === 'bytes') {
        const [bytes, start, end] = args.slice(at) as [Uint8Array, number, number];
        at += 3;
        return form === 'utf8' ? decodeText(bytes, start, end, TEXT_WTF8) : bytes.slice(start, end);
      }
      const value = args[at++];
      return form === 'u8' ? value === 1 : value === 0 ? 0 : value;
    });
  }

  remove(entry: number): void {
    this.#slots[entry].isLive = false;
    this.#byKey.delete(this.#slots[entry].id);
  }

  setText(entry: number, index: number, bytes: Uint8Array, start: number, end: number): void {
    this.#column(entry, index)[entry & PAGE_MASK] = decodeText(bytes, start, end, TEXT_WTF8);
  }

  getText(entry: number, index: number): string {
    return String(this.#column(entry, index)[entry & PAGE_MASK] ?? '');
  }

  setValue(entry: number, index: number, value: unknown): void {
    this.#column(entry, index)[entry & PAGE_MASK] = value;
  }

  getValue(entry: number, index: number): unknown {
    return this.#column(entry, index)[entry & PAGE_MASK];
  }

  #column(entry: number, index: number): unknown[] {
    return this.pages[entry >>> PAGE_SHIFT][`c${index}`] as unknown[];
  }

  keyOf(entry: number): readonly unknown[] {
    return this.#slots[entry].key;
  }

  scan(position: number, entriesMax: number, visit: (entry: number) => void): number {
    let seen = 0;
    for (let entry = position; entry < this.#slots.length; entry++) {
      if (!this.#slots[entry].isLive) continue;
      if (seen === entriesMax) return entry;
      seen++;
      visit(entry);
    }
    return -1;
  }

  *entriesOf(keyGroup: number): Iterable<TableEntry> {
    for (let entry = 0; entry < this.#slots.length; entry++) {
      const slot = this.#slots[entry];
      if (!slot.isLive || slot.group !== keyGroup) continue;
      const values = this.spec.columns.map(
        (_, index) => this.#column(entry, index)[entry & PAGE_MASK],
      );
      yield { keyGroup, key: slot.key, values, stampMs: 0 };
    }
  }

  freeze(): void {
    throw new Error('Not needed here.');
  }

  drain(): boolean {
    throw new Error('Not needed here.');
  }

  load({ keyGroup, key, values }: TableEntry): void {
    const entry = this.#add(keyGroup, keyId(key), key);
    values?.forEach((value, index) => {
      this.#column(entry, index)[entry & PAGE_MASK] = value;
    });
  }

  clear(): void {
    this.#byKey.clear();
    this.#slots.length = 0;
    this.pages.length = 0;
  }
}

function keyId(key: readonly unknown[]): string {
  return key
    .map((value) => `${typeof value}:${value instanceof Uint8Array ? value.join() : String(value)}`)
    .join('|');
}
