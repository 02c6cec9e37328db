/**
 * Who holds what: every allocation of a thread under job, operator, subtask and purpose, as reserved (promised)
 * and touched (backed by memory, because it was written). Callers: arena, state tables, deploy; the coordinator
 * merges the rows of all threads. Runs on: each thread keeps its own. Invariant: totals equal the sum of rows.
 */
import { assert } from '../base/assert.js';
import { formatBytes } from '../base/units.js';

/** Whose memory it is. `operator` and `subtask` are null for what belongs to the job or slot as a whole. */
export interface LedgerOwner {
  readonly job: string;
  readonly operator: string | null;
  readonly subtask: number | null;
  /** Such as 'ring', 'state', 'registry'. */
  readonly purpose: string;
}

/** One owner's holdings: plain data that crosses threads. */
export interface LedgerRow extends LedgerOwner {
  readonly reservedBytes: number;
  readonly touchedBytes: number;
  /** How many allocations these are. */
  readonly allocations: number;
}

/** Sums over rows. */
export interface LedgerTotals {
  readonly reservedBytes: number;
  readonly touchedBytes: number;
}

/** Names one allocation of a ledger until it is released. */
export type LedgerEntry = number;

interface Allocation {
  readonly owner: LedgerOwner;
  reservedBytes: number;
  touchedBytes: number;
}

/** The ledger of one thread. */
export class Ledger {
  readonly #allocations = new Map<LedgerEntry, Allocation>();
  #nextEntry = 1;

  /** Enters an allocation; `touchedBytes` of it are in use already. */
  add(owner: LedgerOwner, reservedBytes: number, touchedBytes = 0): LedgerEntry {
    const entry = this.#nextEntry++;
    const allocation = { owner, reservedBytes: 0, touchedBytes: 0 };
    setSizes(allocation, reservedBytes, touchedBytes);
    this.#allocations.set(entry, allocation);
    return entry;
  }

  /** Changes the size of an allocation; touched memory beyond it is given up. */
  resize(entry: LedgerEntry, reservedBytes: number): void {
    const allocation = this.#find(entry);
    setSizes(allocation, reservedBytes, Math.min(allocation.touchedBytes, reservedBytes));
  }

  /** Says how much of an allocation has been written by now. */
  touch(entry: LedgerEntry, touchedBytes: number): void {
    const allocation = this.#find(entry);
    setSizes(allocation, allocation.reservedBytes, touchedBytes);
  }

  release(entry: LedgerEntry): void {
    this.#find(entry);
    this.#allocations.delete(entry);
  }

  totals(): LedgerTotals {
    return ledgerTotals([...this.#allocations.values()]);
  }

  /** One row per owner, largest first. */
  rows(): readonly LedgerRow[] {
    const rows = [...this.#allocations.values()].map(
      ({ owner, reservedBytes, touchedBytes }): LedgerRow => ({
        job: owner.job,
        operator: owner.operator,
        subtask: owner.subtask,
        purpose: owner.purpose,
        reservedBytes,
        touchedBytes,
        allocations: 1,
      }),
    );
    return mergeLedgerRows(rows);
  }

  #find(entry: LedgerEntry): Allocation {
    const allocation = this.#allocations.get(entry);
    assert(allocation !== undefined, 'A ledger entry is used only between add and release.');
    return allocation;
  }
}

/** Rows of several ledgers as one: rows of one owner become one row; largest first, then by name. */
export function mergeLedgerRows(
  ...ledgers: readonly (readonly LedgerRow[])[]
): readonly LedgerRow[] {
  const byOwner = new Map<string, LedgerRow>();
  for (const row of ledgers.flat()) {
    const key = JSON.stringify([row.job, row.operator, row.subtask, row.purpose]);
    const known = byOwner.get(key);
    byOwner.set(key, known === undefined ? row : addRows(known, row));
  }
  const sorted = [...byOwner].toSorted(
    ([keyA, a], [keyB, b]) => b.reservedBytes - a.reservedBytes || (keyA < keyB ? -1 : 1),
  );
  return sorted.map(([, row]) => row);
}

/** Sums of rows. */
export function ledgerTotals(rows: readonly LedgerTotals[]): LedgerTotals {
  let reservedBytes = 0;
  let touchedBytes = 0;
  for (const row of rows) {
    reservedBytes += row.reservedBytes;
    touchedBytes += row.touchedBytes;
  }
  return { reservedBytes, touchedBytes };
}

/** A ledger for people, one line per row and one for the sum. */
export function ledgerLines(rows: readonly LedgerRow[]): readonly string[] {
  const totals = ledgerTotals(rows);
  return [
    ...rows.map((row) => `${ownerText(row)}: ${sizesText(row)}`),
    `total: ${sizesText(totals)}`,
  ];
}

/** An owner for people: `sum-by-user[2] ring`. */
export function ownerText(owner: LedgerOwner): string {
  const subtask = owner.subtask === null ? '' : `[${owner.subtask}]`;
  return `${owner.operator ?? owner.job}${subtask} ${owner.purpose}`;
}

function sizesText(sizes: LedgerTotals): string {
  return `${formatBytes(sizes.reservedBytes)} reserved, ${formatBytes(sizes.touchedBytes)} touched`;
}

function addRows(a: LedgerRow, b: LedgerRow): LedgerRow {
  return { ...a, ...ledgerTotals([a, b]), allocations: a.allocations + b.allocations };
}

function setSizes(allocation: Allocation, reservedBytes: number, touchedBytes: number): void {
  assert(
    touchedBytes >= 0 && touchedBytes <= reservedBytes,
    'An allocation touches at most what it has reserved.',
  );
  allocation.reservedBytes = reservedBytes;
  allocation.touchedBytes = touchedBytes;
}
