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
import { loadTable, snapshotTable } from '../state/table-snapshot.js';
import { planAggregate } from './aggregate-tables.js';
import type { KeyedRun } from './chain-keyed.js';
import type { ChainRun } from './chain-run.js';
import type { SnapshotSink, SnapshotSource } from './contract.js';

/** Name of the piece that describes an operator's state. */
const HEADER = 'operator';

/** What the header holds. */
interface KeyedHeader {
  readonly input: Schema;
  readonly tables: readonly TableSpec[];
}

/** Writes the state of all operators, tail to head. */
export function snapshotChain(run: ChainRun, sink: SnapshotSink): void {
  assert(
    run.pending.every((pending) => pending.isEmpty),
    'Pending records are handed on before the barrier.',
  );
  for (let operator = run.keyed.length - 1; operator >= 0; operator--) {
    const keyed = run.keyed[operator];
    if (keyed !== null && keyed.input !== null) snapshotKeyed(keyed, keyed.input, sink);
    run.processes[operator]?.snapshot(sink);
  }
  run.calls?.snapshot(sink);
}

function snapshotKeyed(keyed: KeyedRun, input: Schema, sink: SnapshotSink): void {
  const { uid } = keyed.spec;
  if (keyed.isPartial) {
    assert(!keyed.hasEntries, 'Partial aggregations hand on what they hold before the barrier.');
    return;
  }
  const tables = [...keyed.tables.values()];
  const header: KeyedHeader = { input, tables: tables.map((table) => table.spec) };
  sink.put(uid, HEADER, -1, serialize(header));
  for (const table of tables) {
    snapshotTable(table, true, (keyGroup, bytes) => {
      sink.put(uid, table.spec.name, keyGroup, bytes);
    });
  }
}

/** Fills the state of all operators. */
export function restoreChain(run: ChainRun, source: SnapshotSource): void {
  for (const keyed of run.keyed) {
    if (keyed !== null && !keyed.isPartial) restoreKeyed(keyed, source);
  }
  for (const process of run.processes) process?.restore(source);
  run.calls?.restore(source);
}

function restoreKeyed(keyed: KeyedRun, source: SnapshotSource): void {
  const { uid } = keyed.spec;
  for (const { bytes } of source.get(uid, HEADER)) {
    const header = deserialize(bytes) as KeyedHeader;
    keyed.adopt(header.input);
    for (const spec of header.tables) keyed.table(spec);
  }
  for (const [name, table] of keyed.tables) {
    for (const { bytes } of source.get(uid, name)) loadTable(table, bytes);
  }
  if (keyed.input !== null && keyed.spec.kind === 'aggregate') {
    keyed.linkWindows(planAggregate(keyed.spec, keyed.input));
    keyed.windows?.rebuild();
  }
}
