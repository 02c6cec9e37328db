/**
 * The fragment of `flatMap`: what the function returned is put aside and worked off at once by a function of its
 * own, which may stop in the middle when an output is full and go on later. Callers: the chain compiler. Runs on:
 * worker, when a chain is compiled.
 */
import type { ChainCode, Placed } from '../chain-code.js';
import type { FlowRow } from '../flow-row.js';
import type { CodeBlock } from '../code-block.js';
import { usedFields } from '../lambda-fields.js';
import { marksCode } from '../record-code.js';

/** Calls the function and works its items off, unless something has stopped already. */
export function flatMapFragment(
  code: ChainCode,
  { index, spec }: Placed<'flatMap'>,
  row: FlowRow,
  place: CodeBlock,
): void {
  const { unit, run } = code;
  const input = row.object(usedFields(spec.fn), place);
  const items = unit.fresh('items');
  const pending = unit.constant(run.pending[index], `pending${index}`);
  code.enter(index, place);
  place.line(`const ${items} = ${unit.constant(spec.fn, `flatMap${index}`)}(${input});`);
  const start = `${pending}.start(${items}, ${marksCode(row.marks)})`;
  code.stop(place.open(`if (${start} && (stop !== 0 || ${pending}.drain() !== 0))`));
}
