/**
 * The fragment of `select`: expressions become the fields of a new row. Only those that somebody uses are
 * computed, once, before anything behind. Callers: the chain compiler. Runs on: worker, when a chain is compiled.
 */
import { assert } from '../../base/assert.js';
import type { ChainCode, Placed } from '../chain-code.js';
import { ComputedRow } from '../chain-row.js';
import type { FieldValue, FlowRow } from '../flow-row.js';
import type { CodeBlock } from '../code-block.js';
import { filledCode } from '../expression-code.js';
import { compileExpression } from '../expression-compiler.js';
import { valueOfDigits } from '../expression-digits.js';

/** Computes the named expressions. */
export function selectFragment(
  code: ChainCode,
  { index, spec }: Placed<'select'>,
  row: FlowRow,
  place: CodeBlock,
): void {
  const schema = code.schemas.get(index) ?? null;
  assert(schema !== null, 'The schema of a select is known before its code is generated.');
  const computations = place.place();
  const expressions = new Map(spec.columns.map(({ name, value }) => [name, value]));
  const computed = new ComputedRow(code.unit, schema, row.marks, (name) => {
    const expression = expressions.get(name);
    if (expression === undefined) return spec.keepsOthers ? row.field(name) : null;
    const value = compileExpression(expression, row, code.unit.at(computations));
    // A column that is only renamed stays where it is.
    return expression.node === 'column' ? value : settled(code, name, value, computations);
  });
  code.next(index, computed, place);
}

/** The value in locals, so that whatever uses it several times computes it once. */
function settled(code: ChainCode, name: string, value: FieldValue, place: CodeBlock): FieldValue {
  const { unit } = code;
  const { type, nullable } = value;
  const local = unit.fresh(name);
  const { digits } = value;
  const of = (code: string, isNull: string): FieldValue => {
    const settledValue = { type, nullable, value: code, isNull, binary: null };
    return digits === undefined ? settledValue : valueOfDigits(settledValue, code);
  };
  // A text that lies in a column stays there until somebody asks for it.
  const binary = value.binary?.range?.steady === false ? null : value.binary;
  if (value.isNull === 'false') {
    if (binary !== null) return { type, nullable, value: value.value, isNull: 'false', binary };
    place.line(`const ${local} = ${digits ?? value.value};`);
    return of(local, 'false');
  }
  const isNull = unit.fresh(`${name}_null`);
  place.line(`const ${isNull} = ${value.isNull};`);
  if (binary !== null) return { type, nullable, value: value.value, isNull, binary };
  place.line(`const ${local} = ${filledCode(value, isNull)};`);
  return of(local, isNull);
}
