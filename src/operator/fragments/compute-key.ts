/**
 * The fragment of `computeKey`: a function gives the key, which travels as the field `$key` beside the columns of
 * the record. Its type is found at run time, as that of a function's records. Callers: the chain compiler.
 * Runs on: worker, when a chain is compiled. Invariant: a key is computed once per record, also when its record
 * has to wait for the type.
 */
import type { ChainCode, MisfitCode, Placed } from '../chain-code.js';
import { AdjustedRow } from '../chain-row.js';
import { type FlowRow, KEY_FIELD } from '../flow-row.js';
import type { CodeBlock } from '../code-block.js';
import { checkKeyType } from '../key-code.js';
import { usedFields } from '../lambda-fields.js';
import { ObjectRow } from '../object-row.js';
import { withKey } from '../operator-schema.js';
import { closeChecked, holdMisfit, marksCode } from '../record-code.js';

/** Computes the key and goes on. */
export function computeKeyFragment(
  code: ChainCode,
  { index, spec }: Placed<'computeKey'>,
  row: FlowRow,
  place: CodeBlock,
): void {
  const { unit, run } = code;
  const object = row.object(usedFields(spec.fn), place);
  const key = code.callUser(index, spec.fn, object, place);
  const errors = unit.constant(run.errors, 'errors');
  const isNull = `${key} === null || ${key} === undefined`;
  place.line(`if (${isNull}) throw ${errors}.nullKey(${index}, ${JSON.stringify(KEY_FIELD)});`);
  keyedCode(code, index, row, key, place, (inside) => {
    const whole = row.object(null, inside);
    holdMisfit(code, index, whole, key, row.marks)(inside);
  });
}

/** Goes on with a row and its key, once the type of the key is known. */
export function keyedCode(
  code: ChainCode,
  index: number,
  row: FlowRow,
  key: string,
  place: CodeBlock,
  misfit: MisfitCode,
): void {
  const { unit, run } = code;
  const keySchema = run.recordSchema(index);
  if (keySchema === null || row.schema === null) {
    const pending = unit.constant(run.pending[index], `pending${index}`);
    place.comment('The type of the key is not known yet: collects some records to find it.');
    // What is held is not checked again, so it is checked now.
    row.useAllFields();
    const whole = row.object(null, place);
    code.stop(place.open(`if (${pending}.hold(${whole}, ${marksCode(row.marks)}, ${key}))`));
    return;
  }
  const [keyField] = keySchema.fields;
  checkKeyType(run.tree.operators[index].spec.name, KEY_FIELD, keyField.type);
  const fetches = place.place();
  const head = place.place();
  const inside = place.indented();
  const keyRow = new ObjectRow(unit, keySchema, key, row.marks, fetches);
  const keyed = new AdjustedRow(row, withKey(row.schema, keyField), (name) =>
    name === KEY_FIELD ? keyRow.field(keyField.name) : row.field(name),
  );
  code.next(index, keyed, inside);
  closeChecked(place, head, keyRow.condition(), misfit);
}
