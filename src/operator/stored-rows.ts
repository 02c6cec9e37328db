/**
 * Rows in `rows` columns of state tables, in generated code: adding one, and finding it again. Callers: fragments of
 * operators that keep rows. Runs on: worker, when a chain is compiled; pure.
 */
import { chunkCode, offsetCode } from '../state/row-place.js';
import type { CodeBlock } from './code-block.js';
import type { CodeUnit } from './code-unit.js';
import type { FlowRow } from './flow-row.js';
import type { RowLayouts } from './row-layouts.js';
import { type RowPlace, storeRowCode } from './stored-row.js';

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
export function conformCode(
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
