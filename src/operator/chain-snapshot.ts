/**
 * State of a chain as bytes and back: for each keyed operator a header, which says for what records and in which
 * tables it keeps state, and the entries of each table by key group. Callers: the chain task. Runs on: worker,
 * between two calls of `step`. Invariant: restoring gives an operator that goes on as if it had never stopped,
 * also before it has seen a record; pieces of several subtasks may be put together.
 */
import { deserialize, serialize } from 'node:v8';
import { assert } from '../base/assert.js';
import type { Schema } from '../record/schema.js';
import type { TableSpec } from '../state/contract.js';
import {
  type KeptTable,
  type SnapshotScope,
  type StateWriter,
  writtenAtOnce,
} from '../state/state-writer.js';
import { loadTable, TableWriter } from '../state/table-snapshot.js';
import type { KeyedRun } from './chain-keyed.js';
import type { ChainRun } from './chain-run.js';
import { proposeResults } from './chain-schemas.js';
import { keptOf } from './kept-schema.js';
import { isCarried } from './pre-aggregate.js';
import type { SnapshotSink, SnapshotSource, TaskSnapshot } from './contract.js';

/** Name of the piece that describes an operator's state. */
const HEADER = 'operator';

/** What the header holds. */
interface KeyedHeader {
  /** What describes what is kept. */
  readonly input: Schema;
  /** Whether that is what carries accumulators between phases. */
  readonly isCarried?: boolean;
  /** Of the columns that keys of the tables have, how many are those of the operator, which come first. */
  readonly keys: number;
  readonly tables: readonly TableSpec[];
  /** The schemas by which rows in them may have been written. */
  readonly rows?: readonly Schema[];
}

/** The snapshot of a chain. */
export class ChainSnapshot implements TaskSnapshot {
  readonly #writers: readonly StateWriter[];
  /** Writers before this one are done. */
  #at = 0;
  #isAborted = false;

  /** Freezes the state of all operators. */
  constructor(run: ChainRun, scope: SnapshotScope) {
    assert(
      run.pending.every((pending) => pending.isEmpty),
      'Pending records are handed on before the barrier.',
    );
    const writers: StateWriter[] = [];
    // Tail to head, as Flink writes them.
    for (let operator = run.keyed.length - 1; operator >= 0; operator--) {
      const keyed = run.keyed[operator];
      if (keyed !== null) writers.push(...keyedWriters(keyed, scope));
      writers.push(...(run.processes[operator]?.beginSnapshot(scope) ?? []));
      writers.push(...(run.joins[operator]?.beginSnapshot(scope) ?? []));
    }
    if (run.calls !== null) writers.push(...run.calls.beginSnapshot());
    this.#writers = writers;
  }

  get tables(): readonly KeptTable[] {
    return this.#writers.flatMap(({ kept }) => kept ?? []);
  }

  /** Whether nothing is left to be written. */
  get isOver(): boolean {
    return this.#isAborted || this.#at === this.#writers.length;
  }

  step(sink: SnapshotSink, entriesMax: number): boolean {
    assert(!this.#isAborted, 'A snapshot that was given up is not written on.');
    const slice = { left: entriesMax };
    while (this.#at < this.#writers.length && slice.left > 0) {
      if (!this.#writers[this.#at].step(sink, slice)) break;
      this.#at++;
    }
    return this.isOver;
  }

  confirm(): void {
    assert(this.isOver, 'A snapshot is confirmed that has been written.');
    if (!this.#isAborted) for (const writer of this.#writers) writer.confirm();
  }

  abort(): void {
    this.#isAborted = true;
    for (const writer of this.#writers) writer.abort();
  }
}

/** Writes the state of all operators at once. */
export function snapshotChain(run: ChainRun, sink: SnapshotSink): void {
  const snapshot = new ChainSnapshot(run, { full: true, isConfirmable: false });
  while (!snapshot.step(sink, Number.POSITIVE_INFINITY));
}

function keyedWriters(keyed: KeyedRun, scope: SnapshotScope): readonly StateWriter[] {
  const { kept, spec } = keyed;
  keyed.writers = [];
  if (kept === null) return [];
  if (keyed.isPartial) {
    assert(!keyed.hasEntries, 'Partial aggregations hand on what they hold before the barrier.');
    return [];
  }
  const tables = [...keyed.tables.values()];
  const rows = keyed.layouts === null ? {} : { rows: keyed.layouts.schemas };
  const header: KeyedHeader = {
    input: kept,
    isCarried: spec.kind === 'aggregate' && isCarried(spec),
    keys: spec.keys.length,
    tables: tables.map((table) => table.spec),
    ...rows,
  };
  const head = writtenAtOnce((sink) => sink.put(spec.uid, HEADER, -1, serialize(header), false));
  keyed.writers = tables.map((table) => new TableWriter(spec.uid, table, scope));
  return [head, ...keyed.writers];
}

/** Fills the state of all operators. */
export function restoreChain(run: ChainRun, source: SnapshotSource): void {
  for (const keyed of run.keyed) {
    if (keyed !== null && !keyed.isPartial) restoreKeyed(keyed, source);
  }
  for (const [operator, process] of run.processes.entries()) {
    process?.restore(source);
    proposeResults(run, operator);
  }
  for (const join of run.joins) join?.restore(source);
  run.calls?.restore(source);
}

function restoreKeyed(keyed: KeyedRun, source: SnapshotSource): void {
  const { uid } = keyed.spec;
  for (const { bytes } of source.get(uid, HEADER)) {
    const header = deserialize(bytes) as KeyedHeader;
    keyed.restore(keptOf(keyed.spec, header));
    keyed.layouts?.restore(header.rows ?? []);
    for (const spec of header.tables) keyed.table(spec);
  }
  for (const [name, table] of keyed.tables) {
    loadTable(table, source.get(uid, name));
  }
  if (keyed.kept !== null && keyed.spec.kind === 'aggregate') {
    keyed.linkWindows(keyed.plan());
    keyed.windows?.rebuild();
  }
}
