/**
 * The fragments of keyed operators whose state is full: records of keys that are not there are put aside. Callers: the
 * fragments of keyed operators. Runs on: worker,
 * when a chain is compiled.
 */
import type { StateTable } from '../../state/contract.js';
import type { ChainCode } from '../chain-code.js';
import type { CodeBlock } from '../code-block.js';
import type { FieldValue, FlowRow } from '../flow-row.js';
import { keyCode } from '../key-entry-code.js';
import { type RowPlace, storeRowCode } from '../stored-row.js';

/** A row with its key, and the table of keys. */
interface KeyedRow {
  readonly index: number;
  readonly table: StateTable;
  readonly keys: readonly FieldValue[];
  readonly row: FlowRow;
}

/** Puts the row aside where its key is not in a full table; gives the place of what happens to all others. */
export function overflowFragment(
  code: ChainCode,
  { index, table, keys, row }: KeyedRow,
  place: CodeBlock,
): CodeBlock {
  const overflow = code.run.keyed[index]?.overflow ?? null;
  if (overflow === null) return place;
  const { unit } = code;
  const state = unit.constant(overflow, `overflow${index}`);
  const key = keyCode(code, keys, false, place);
  const args = [key.group, key.hash, ...key.args].join(', ');
  const found = `${unit.constant(table, 'table')}.find(${args})`;
  const aside = place.open(`if (${unit.hoist(`${state}.isFull`, 'isFull')} && ${found} < 0)`);
  const scratch = unit.constant(overflow.scratch, 'scratch');
  const claim = (bytes: string): RowPlace => {
    aside.line(`${scratch}.claim(${bytes});`);
    return { bytes: `${scratch}.bytes`, view: `${scratch}.view`, at: '0' };
  };
  storeRowCode(unit, overflow.layouts.layout, row, claim, aside);
  aside.line(`${state}.put(${key.hash});`);
  return place.open('else');
}
