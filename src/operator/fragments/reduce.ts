/**
 * The fragments of `reduce` and `distinct`. Callers: the chain compiler. Runs on: worker, when a chain is compiled.
 * Invariant: the first record of a key is its first result, without a call of the function.
 */
import { assert } from '../../base/assert.js';
import { KIND_INSERT, KIND_UPDATE_AFTER } from '../../record/batch.js';
import type { StateTable } from '../../state/contract.js';
import { keyFields } from '../aggregate-fields.js';
import { keyTable } from '../aggregate-tables.js';
import type { ChainCode, Placed } from '../chain-code.js';
import { AdjustedRow } from '../chain-row.js';
import { type FlowRow, KEY_FIELD } from '../flow-row.js';
import type { CodeBlock } from '../code-block.js';
import { findEntry, keyValues } from '../key-entry-code.js';
import { withoutKey } from '../operator-schema.js';
import { overflowFragment } from './overflow.js';

/** The table of a keyed operator without accumulators of fixed width. */
function keyedTable(
  code: ChainCode,
  { index, spec }: Placed<'reduce'> | Placed<'distinct'>,
): StateTable {
  const keyed = code.run.keyed[index];
  const input = keyed?.input ?? null;
  assert(keyed !== null && input !== null, 'A keyed operator knows its records.');
  const keys = keyFields(spec.name, spec.keys, input);
  if (spec.kind === 'distinct') return keyed.table(keyTable('seen', keys));
  return keyed.table(keyTable('reduced', keys, [{ name: 'value', form: 'js' }]));
}

/** Reduces the record into that of its key. */
export function reduceFragment(
  code: ChainCode,
  placed: Placed<'reduce'>,
  row: FlowRow,
  whole: CodeBlock,
): void {
  const { unit, run } = code;
  const { index, spec } = placed;
  const table = keyedTable(code, placed);
  row.useAllFields();
  const values = keyValues(code, index, spec.keys, row, whole);
  const place = overflowFragment(code, { index, table, keys: values, row }, whole);
  const found = findEntry(code, { index, table, values, isLocal: false }, place);
  const reduced = unit.fresh('reduced');
  place.line(`let ${reduced};`);
  const first = place.open(`if (${found.isNew()})`);
  first.line(`${reduced} = ${row.object(null, first)};`);
  const further = place.open('else');
  const record = row.object(null, further);
  code.enter(index, further);
  const fn = unit.constant(spec.fn, `reduce${index}`);
  const before = `${found.table}.getValue(${found.entry}, 0)`;
  further.line(`${reduced} = ${fn}(${before}, ${record});`);
  const errors = unit.constant(run.errors, 'errors');
  further.line(`if (${reduced} === undefined) throw ${errors}.undefinedRecord(${index});`);
  place.line(`${found.table}.setValue(${found.entry}, 0, ${reduced});`);
  if (spec.emit === 'final') return;
  const kind = `(${found.isNew()} ? ${KIND_INSERT} : ${KIND_UPDATE_AFTER})`;
  code.nextRecord(index, reduced, { time: row.marks.time, kind }, place);
}

/** Hands on the record of one entry, whose id is in the local `entry`. */
export function reduceEntryFragment(
  code: ChainCode,
  placed: Placed<'reduce'>,
  entry: string,
  place: CodeBlock,
): void {
  const table = code.unit.constant(keyedTable(code, placed), 'table');
  const reduced = code.unit.fresh('reduced');
  place.line(`const ${reduced} = ${table}.getValue(${entry}, 0);`);
  code.nextRecord(placed.index, reduced, { time: null, kind: null }, place);
}

/** Lets the first record of each key pass. */
export function distinctFragment(
  code: ChainCode,
  placed: Placed<'distinct'>,
  row: FlowRow,
  whole: CodeBlock,
): void {
  const { index, spec } = placed;
  const table = keyedTable(code, placed);
  const values = keyValues(code, index, spec.keys, row, whole);
  const place = overflowFragment(code, { index, table, keys: values, row }, whole);
  const found = findEntry(code, { index, table, values, isLocal: false }, place);
  assert(row.schema !== null, 'The fields of a keyed record are known.');
  const passed = new AdjustedRow(row, withoutKey(row.schema), (name) =>
    name === KEY_FIELD ? null : row.field(name),
  );
  code.next(index, passed, place.open(`if (${found.isNew()})`));
}
