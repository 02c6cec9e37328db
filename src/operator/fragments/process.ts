/**
 * The fragment of a process function: sets the key, calls the function with the record, and works off at once what
 * it gave, as far as outputs have room. Callers: the chain compiler. Runs on: worker, when a chain is compiled.
 */
import { assert } from '../../base/assert.js';
import { PAGE_MASK, PAGE_SHIFT } from '../../state/contract.js';
import { columnCode } from '../../state/table-shape.js';
import type { ChainCode, Placed } from '../chain-code.js';
import type { FieldValue, FlowRow } from '../flow-row.js';
import type { ProcessRun } from '../chain-process.js';
import type { CodeBlock } from '../code-block.js';
import { keyCode, keyValues, lookUpAhead } from '../key-entry-code.js';
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
  const context = unit.constant(process.context, `context${index}`);
  const fn = unit.constant(process.function, `function${index}`);
  const names = keysOfSide(spec, code.side);
  // Only fields the function can touch are made; a key is read by itself.
  const used = row.schema.shape === 'value' ? null : process.usedFields(code.side);
  if (used === null) row.useAllFields();
  if (names !== null) {
    keyLines(code, { index, process }, keyValues(code, index, names, row, place), place);
  }
  const record = row.object(used, place);
  code.enter(index, place);
  place.line(`${context}.enter(${code.side}, ${marksCode(row.marks)});`);
  const method = code.side === 0 ? 'processElement' : 'processElement2';
  const result = unit.fresh('result');
  place.line(`const ${result} = ${fn}.${method}(${record}, ${context});`);
  place.line(`if (${result} !== undefined) ${bound}.refuseResult(${result});`);
  place.line(`${bound}.leave();`);
  for (const producer of [index, ...run.tree.sideOutputsOf(index)]) {
    const pending = unit.constant(run.pending[producer], `pending${producer}`);
    const isBlocked = `stop !== 0 || ${pending}.drain() !== 0`;
    code.stop(place.open(`if (!${pending}.isEmpty && (${isBlocked}))`));
  }
}

/** Makes the key of the row the current one. */
function keyLines(
  code: ChainCode,
  { index, process }: { readonly index: number; readonly process: ProcessRun },
  values: readonly FieldValue[],
  place: CodeBlock,
): void {
  const { currentKey } = process;
  assert(currentKey !== null, 'A keyed process function has a current key.');
  const { hash, group, args } = keyCode(code, values, false, place);
  const key = code.unit.constant(currentKey, 'currentKey');
  const flat = code.unit.constant(currentKey.flat, 'flatKey');
  args.forEach((argument, at) => {
    place.line(`${flat}[${at}] = ${argument};`);
  });
  place.line(`${key}.enter(${hash}, ${group});`);
  foundAhead(code, { index, process, key }, values, place);
}

/** A process function, and the code of its current key. */
interface ProcessKey {
  readonly index: number;
  readonly process: ProcessRun;
  readonly key: string;
}

/**
 * The entries of rows to come are looked up before the loop, and read: functions do so much for each record that a
 * processor would wait for the memory of every one of them by itself. They hold as long as no function has removed one.
 */
function foundAhead(
  code: ChainCode,
  { index, process, key }: ProcessKey,
  values: readonly FieldValue[],
  place: CodeBlock,
): void {
  const { unit } = code;
  const table = process.entries;
  if (table === null) return;
  const owner = unit.constant(process, `process${index}`);
  const ahead = lookUpAhead(code, { index, table, values, owner });
  if (ahead === null) return;
  const [removals, read, at, entry] = ['removals', 'read', 'at', 'entry'].map((name) =>
    unit.fresh(name),
  );
  const bound = unit.constant(table, 'table');
  ahead.place.line(`${ahead.look()};`);
  ahead.place.line(`const ${removals} = ${bound}.removals;`);
  ahead.place.line(`let ${read} = 0;`);
  const loop = ahead.place.open(`for (let ${at} = ${ahead.from}; ${at} < ${ahead.to}; ${at}++)`);
  loop.line(`const ${entry} = ${ahead.found}[${at}];`);
  const parts = columnCode(
    table.spec,
    table.spec.columns.length - 1,
    `${bound}.pages[${entry} >>> ${PAGE_SHIFT}]`,
    `(${entry} & ${PAGE_MASK})`,
  );
  loop.line(`if (${entry} >= 0) ${read} |= ${parts};`);
  ahead.place.line(`${owner}.read = ${read};`);
  place.line(`if (${bound}.removals === ${removals}) ${key}.found(${ahead.entry});`);
}
