/**
 * The fragment of a process function: sets the key, calls the function with the record, and works off at once what
 * it gave, as far as outputs have room. Callers: the chain compiler. Runs on: worker, when a chain is compiled.
 */
import { assert } from '../../base/assert.js';
import type { ChainCode, Placed } from '../chain-code.js';
import type { FieldValue, FlowRow } from '../flow-row.js';
import type { CodeBlock } from '../code-block.js';
import { keyCode, keyValues } from '../key-entry-code.js';
import { recordValueCode } from '../object-code.js';
import { keysOfSide } from '../operator-sides.js';
import { marksCode } from '../record-code.js';

/** Calls the function with a row. */
export function processFragment(
  code: ChainCode,
  { index, spec }: Placed<'process'>,
  row: FlowRow,
  place: CodeBlock,
): void {
  const { unit, run } = code;
  const process = run.processes[index];
  assert(process !== null && row.schema !== null, 'A process function knows its records.');
  const bound = unit.constant(process, `process${index}`);
  const names = keysOfSide(spec, code.side);
  row.useAllFields();
  if (names !== null) {
    keyLine(code, bound, keyValues(code, index, names, row, place), place);
  } else if (process.isKeyed) {
    place.line(`${bound}.unsetKey();`);
  }
  const record = row.object(null, place);
  code.enter(index, place);
  place.line(`${bound}.element(${code.side}, ${record}, ${marksCode(row.marks)});`);
  for (const producer of [index, ...run.tree.sideOutputsOf(index)]) {
    const pending = unit.constant(run.pending[producer], `pending${producer}`);
    const isBlocked = `stop !== 0 || ${pending}.drain() !== 0`;
    code.stop(place.open(`if (!${pending}.isEmpty && (${isBlocked}))`));
  }
}

/** Makes the key of the row the current one. */
function keyLine(
  code: ChainCode,
  process: string,
  values: readonly FieldValue[],
  place: CodeBlock,
): void {
  const { hash, group } = keyCode(code, values, false, place);
  const key = values.map((value) => recordValueCode(code.unit, value)).join(', ');
  place.line(`${process}.setKey([${key}], ${hash}, ${group});`);
}
