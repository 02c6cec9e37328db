/**
 * Rows in `rows` columns of state tables, in generated code: adding one, and finding it again. Callers: fragments of
 * operators that keep rows. Runs on: worker, when a chain is compiled; pure.
 */
import { chunkCode, offsetCode } from '../state/row-place.js';
import type { CodeBlock } from './code-block.js';
import type { CodeUnit } from './code-unit.js';
import type { FlowRow } from './flow-row.js';
import type { RowLayouts } from './row-layouts.js';
import { type RowPlace, storedRow, storeRowCode } from './stored-row.js';

/** Adds a row to a column of an entry; gives the local of its position. */
export function addRowCode(
  unit: CodeUnit,
  layouts: RowLayouts,
  row: FlowRow,
  {
    table,
    entry,
    index,
  }: { readonly table: string; readonly entry: string; readonly index: number | string },
  place: CodeBlock,
): string {
  const position = unit.fresh('position');
  const claim = (bytes: string): RowPlace => {
    place.line(`const ${position} = ${table}.addRow(${entry}, ${index}, ${bytes});`);
    return memoryCode(unit, 'const', table, position, place);
  };
  storeRowCode(unit, layouts.layout, row, claim, place);
  return position;
}

/** Locals of the memory of the row at a position of a table, by the layout of now. */
export function rowPlaceCode(
  unit: CodeUnit,
  layouts: RowLayouts,
  table: string,
  position: string,
  place: CodeBlock,
): RowPlace {
  const memory = memoryCode(unit, 'let', table, position, place);
  conformCode(unit, layouts, memory, place);
  return memory;
}

/** Has locals of the memory of a row, which can be set, show it by the layout of now. */
function conformCode(
  unit: CodeUnit,
  layouts: RowLayouts,
  { bytes, view, at }: RowPlace,
  place: CodeBlock,
): void {
  const bound = unit.constant(layouts, 'layouts');
  const other = place.open(`if (${view}.getInt32(${at}, true) !== ${layouts.layout.id})`);
  other.line(`${bound}.conform(${bytes}, ${view}, ${at});`);
  other.line(`${bytes} = ${bound}.scratch.bytes;`);
  other.line(`${view} = ${bound}.scratch.view;`);
  other.line(`${at} = 0;`);
}

/**
 * A loop over the rows of a cursor of run files, which an object of the running chain has as `cursor`, with the number
 * of those that this call may take as `left`. A row is taken before the cursor moves on.
 */
export function eachRowCode(
  unit: CodeUnit,
  state: string,
  layouts: RowLayouts,
  take: (row: FlowRow, place: CodeBlock) => void,
  place: CodeBlock,
): void {
  const cursor = unit.hoist(`${state}.cursor`, 'cursor');
  const left = unit.register(`${state}.left`, 'left');
  const loop = place.open(`while (stop === 0 && ${left} > 0 && !${cursor}.isDone)`);
  const [bytes, view, at] = ['rowBytes', 'rowView', 'rowAt'].map((hint) => unit.fresh(hint));
  const memory = { bytes, view, at };
  loop.line(`${left}--;`);
  loop.line(`let ${bytes} = ${cursor}.bytes;`);
  loop.line(`let ${view} = ${cursor}.view;`);
  loop.line(`let ${at} = ${cursor}.valueStart;`);
  conformCode(unit, layouts, memory, loop);
  take(storedRow(unit, layouts.layout, NO_MARKS, memory), loop);
  loop.line(`${cursor}.next();`);
}

const NO_MARKS = { time: null, kind: null } as const;

function memoryCode(
  unit: CodeUnit,
  declare: 'const' | 'let',
  table: string,
  position: string,
  place: CodeBlock,
): RowPlace {
  const [bytes, view, at] = ['rowBytes', 'rowView', 'rowAt'].map((hint) => unit.fresh(hint));
  const chunk = unit.fresh('chunk');
  place.line(`const ${chunk} = ${chunkCode(position)};`);
  place.line(`${declare} ${bytes} = ${table}.rows.chunks[${chunk}];`);
  place.line(`${declare} ${view} = ${table}.rows.views[${chunk}];`);
  place.line(`${declare} ${at} = ${offsetCode(position)};`);
  return { bytes, view, at };
}
