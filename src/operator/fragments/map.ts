/**
 * The fragments of `map`, `filter` and `where`. Callers: the chain compiler. Runs on: worker, when a chain is
 * compiled. Invariant: a function of the user runs once per record, and its records are objects of their own.
 */
import { assert } from '../../base/assert.js';
import type { ChainCode, Placed } from '../chain-code.js';
import { AdjustedRow, RowWithObject } from '../chain-row.js';
import type { FieldValue, FlowRow } from '../flow-row.js';
import type { CodeBlock } from '../code-block.js';
import { compileCondition } from '../expression-compiler.js';
import { isNumberType } from '../key-code.js';
import { usedFields } from '../lambda-fields.js';
import type { UserFunction } from '../operator-spec.js';
import { straightComparisons } from './straight.js';

/** Calls the function and hands its result on as the record. */
export function mapFragment(
  code: ChainCode,
  { index, spec }: Placed<'map'>,
  row: FlowRow,
  place: CodeBlock,
): void {
  const { unit, run } = code;
  const input = row.object(usedFields(spec.fn), place);
  const result = code.callUser(index, spec.fn, input, place);
  const errors = unit.constant(run.errors, 'errors');
  place.line(`if (${result} === undefined) throw ${errors}.undefinedRecord(${index});`);
  code.nextRecord(index, result, row.marks, place);
}

/** Calls the function and goes on when it says so. */
export function filterFragment(
  code: ChainCode,
  { index, spec }: Placed<'filter'>,
  row: FlowRow,
  place: CodeBlock,
): void {
  const names = sharedFields(code, index, usedFields(spec.fn));
  const object = row.object(names, place);
  const inside = place.open(`if (${code.callUser(index, spec.fn, object, place)})`);
  code.next(index, new RowWithObject(row, object, names), inside);
}

/** The fields of the object for a filter: those of the functions right behind it too, so that one object does. */
function sharedFields(
  code: ChainCode,
  index: number,
  own: readonly string[] | null,
): readonly string[] | null {
  if (own === null) return null;
  const names = new Set(own);
  for (const child of code.run.tree.childrenOf(index)) {
    const { spec } = code.run.tree.operators[child];
    const fn: UserFunction | null = 'fn' in spec && spec.kind !== 'reduce' ? spec.fn : null;
    if (fn === null) continue;
    const used =
      spec.kind === 'filter' ? sharedFields(code, child, usedFields(fn)) : usedFields(fn);
    if (used === null) return null;
    for (const name of used) names.add(name);
  }
  return [...names];
}

/** Goes on where the predicate is true; false and null drop the row. */
export function whereFragment(
  code: ChainCode,
  { index, spec }: Placed<'where'>,
  row: FlowRow,
  place: CodeBlock,
): void {
  const { unit, kept } = code;
  const comparisons = straightComparisons(code, index, spec.predicate, row.schema);
  if (comparisons === null) {
    assert(kept === null, 'What stands behind a straight condition is straight.');
    const condition = compileCondition(spec.predicate, row, unit.at(place));
    code.next(index, row, place.open(`if (${condition})`));
    return;
  }
  const read = readOnce(code, row, place);
  const conditions = comparisons.map((each) => `(${compileCondition(each, read, unit.at(place))})`);
  const passes = unit.fresh('kept');
  place.line(`const ${passes} = ${[kept ?? '1', ...conditions].join(' & ')};`);
  code.countingOnly(passes, () => code.next(index, read, place));
}

/** The row with numbers in locals that lie in columns: V8 loads an element wherever code names it. */
function readOnce({ unit, kept }: ChainCode, row: FlowRow, place: CodeBlock): FlowRow {
  const { schema } = row;
  // Behind a condition that is straight already they are locals.
  if (kept !== null || schema === null) return row;
  const reads = place.place();
  const known = new Map<string, FieldValue>();
  return new AdjustedRow(row, schema, (name) => {
    const value = row.field(name);
    if (value?.source === undefined || !isNumberType(value.type)) return value;
    let read = known.get(name);
    if (read === undefined) {
      read = { ...value, value: unit.fresh(name) };
      reads.line(`const ${read.value} = ${value.value};`);
      known.set(name, read);
    }
    return read;
  });
}
