/**
 * The fragment of an asynchronous function: enters the record, and ends the loop when no more may be under way. What
 * comes of it goes on in a function of its own. Callers: the chain compiler. Runs on: worker, when a chain is compiled.
 */
import { assert } from '../../base/assert.js';
import { namesOf } from '../../record/field-tree.js';
import type { ChainCode, Placed } from '../chain-code.js';
import type { FlowRow } from '../flow-row.js';
import type { CodeBlock } from '../code-block.js';
import { fieldsNeeded } from '../operator-fields.js';
import { marksCode } from '../record-code.js';

/** Calls the function with a row. */
export function asyncWaitFragment(
  code: ChainCode,
  { index, spec }: Placed<'asyncWait'>,
  row: FlowRow,
  place: CodeBlock,
): void {
  const { unit, run } = code;
  assert(run.calls !== null, 'A chain with an asynchronous function has its calls.');
  const calls = unit.constant(run.calls, 'calls');
  const record = row.object(namesOf(fieldsNeeded(spec, null)), place);
  code.enter(index, place);
  place.line(`${calls}.enter(${record}, ${marksCode(row.marks)});`);
  code.stop(place.open(`if (${calls}.isFull)`));
}
