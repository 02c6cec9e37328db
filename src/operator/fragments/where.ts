/**
 * The fragment of `where`. Callers: the chain compiler. Runs on: worker, when a chain is compiled. Invariant: what
 * stands behind it runs only for rows that pass, or has no effect for the others.
 */
import { assert } from '../../base/assert.js';
import type { ChainCode, Placed } from '../chain-code.js';
import { AdjustedRow } from '../chain-row.js';
import type { CodeBlock } from '../code-block.js';
import { compileCondition } from '../expression-compiler.js';
import type { FieldValue, FlowRow } from '../flow-row.js';
import { isNumberType } from '../key-code.js';
import { straightComparisons } from './straight.js';

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
