/**
 * The dictionary of a column: the values that codes stand for. Callers: `flat-cursor.ts`,
 * `nested-leaf.ts`. Runs on: the slot's thread.
 */
import type { TextKind } from '../../record/column.js';
import { TEXT_ASCII } from '../../record/column.js';
import { formOf } from '../../record/schema.js';
import { textKindOf } from '../../record/text.js';
import { decodeValues, isBinary, type Leaf, type Values } from './leaf-decoder.js';
import type { Page } from './page-source.js';
import { ENCODING_PLAIN } from './parquet-types.js';
import type { BinaryValues } from './raw-values.js';

/** Decoded entries. */
export interface Dictionary {
  /** For entries of bytes, one more than `count`: the last one is empty and stands for null. */
  readonly values: Values;
  readonly count: number;
  readonly textKind: TextKind;
}

/** The dictionary that a page holds. */
export function readDictionary(leaf: Leaf, page: Page): Dictionary {
  const count = page.header.values;
  const values = decodeValues(leaf, ENCODING_PLAIN, page.values, 0, count);
  if (!isBinary(values)) return { values, count, textKind: TEXT_ASCII };
  return { values: withEmptyEntry(values, count), count, textKind: kindOf(leaf, values, count) };
}

function withEmptyEntry({ offsets, bytes }: BinaryValues, count: number): BinaryValues {
  const longer = new Int32Array(count + 2);
  longer.set(offsets.subarray(0, count + 1));
  longer[count + 1] = offsets[count];
  return { offsets: longer, bytes };
}

/** What the bytes of entries are known to be. */
export function kindOf(leaf: Leaf, { offsets, bytes }: BinaryValues, count: number): TextKind {
  return formOf(leaf.type) === 'utf8' ? textKindOf(bytes, offsets[0], offsets[count]) : TEXT_ASCII;
}
