/**
 * A snapshot of a tiered table: what it reads, and the table on whose pages records are shown to whoever drains it.
 * Callers: `tiered-table.ts`. Runs on: worker. Invariant: runs never change, so what is shown is as it was.
 */
import type { FrozenVisit, TableSpec } from '../contract.js';
import { HotTable, type HotTableOptions } from '../hot-table.js';
import type { TableCode } from '../table-code.js';
import type { MergedRuns } from './cold-merge.js';
import type { ColdRun } from './cold-run.js';
import { compileRecords, type RecordCode } from './record-code.js';

/** A snapshot under way. */
export interface Snapshot {
  /** What changes are told from. */
  readonly since: number;
  readonly nowMs: number;
  /** What is drained, once that is known. */
  isFull: boolean | undefined;
  /** What was cold: all of it, and what of it may have changed. */
  readonly all: readonly ColdRun[];
  readonly changed: readonly ColdRun[];
  /** What was in memory, newest first. */
  readonly hot: ColdRun[];
  /** Null as long as what was in memory is being put aside. */
  merged: MergedRuns | null;
}

/** Hands records to whoever drains, as entries of pages. */
export class Stage extends HotTable {
  declare readonly code: TableCode;
  readonly records: RecordCode;

  constructor(spec: TableSpec, options: HotTableOptions) {
    super(spec, { ...options, isTiered: true });
    this.records = compileRecords(this.shape, this.parts, this.code, null);
  }

  show(entry: number, stampMs: number, isRemoved: boolean, visit: FrozenVisit): void {
    const { keyGroups, hashes } = this.marksOf(entry);
    const o = entry & this.mask;
    visit(this.pageOf(entry), o, keyGroups[o], stampMs, isRemoved, hashes[o]);
  }
}
