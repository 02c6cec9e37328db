/**
 * The fragments of `map` and `filter`. Callers: the chain compiler. Runs on: worker, when a chain is
 * compiled. Invariant: a function of the user runs once per record, and its records are objects of their own.
 */
import type { ChainCode, Placed } from '../chain-code.js';
import { RowWithObject } from '../chain-row.js';
import type { FlowRow } from '../flow-row.js';
import type { CodeBlock } from '../code-block.js';
import { usedFields } from '../lambda-fields.js';
import type { UserFunction } from '../operator-spec.js';

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
