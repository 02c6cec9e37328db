/**
 * Reads all values of one column of a row group with their levels, for columns inside of lists,
 * maps and structs. Callers: `nested-cursor.ts`. Runs on: the slot's thread. Invariant: values are
 * those that are there, without places for nulls; `definitions` says which those are.
 */
import { corrupt } from './corrupt.js';
import { type Dictionary, kindOf, readDictionary } from './dictionary.js';
import { codesOf, copyValues } from './flat-page.js';
import { allocateValues, decodeValues, type FixedValues, isBinary } from './leaf-decoder.js';
import { decodeLevels, findLevels } from './levels.js';
import type { Page, PageSource } from './page-source.js';
import {
  ENCODING_PLAIN_DICTIONARY,
  ENCODING_RLE_DICTIONARY,
  PAGE_DICTIONARY,
} from './parquet-types.js';
import type { BinaryValues } from './raw-values.js';
import type { LeafNode } from './schema-tree.js';
import { gatherFor } from './spread.js';
import type { TextKind } from '../../record/column.js';
import { TEXT_ASCII } from '../../record/column.js';

/**
 * The values of a column of a row group, compact; `fixed` is there or `codes` and `entries` are.
 */
export interface NestedLeaf {
  readonly definitions: Int32Array;
  readonly repetitions: Int32Array;
  /** Number of levels. */
  readonly count: number;
  readonly fixed: FixedValues | null;
  readonly codes: Int32Array;
  /** One more than codes use: the last is empty and stands for null. */
  readonly entries: BinaryValues;
  readonly textKind: TextKind;
}

/** Reads the column to its end; `values` is the number of levels that the footer announces. */
export function readNestedLeaf(node: LeafNode, pages: PageSource, values: number): NestedLeaf {
  const builder = new LeafBuilder(node, values);
  while (pages.peek() !== null) {
    const page = pages.read();
    if (page.header.type === PAGE_DICTIONARY) builder.addDictionary(page);
    else builder.addPage(page);
  }
  return builder.finish();
}

class LeafBuilder {
  readonly #node: LeafNode;
  readonly #definitions: Int32Array;
  readonly #repetitions: Int32Array;
  #count = 0;
  readonly #fixed: FixedValues | null;
  readonly #codes: Int32Array;
  #present = 0;
  #dictionary: Dictionary | null = null;
  /** Runs of entries: those of the dictionary, and those of pages that do not use it. */
  readonly #runs: { readonly values: BinaryValues; readonly count: number }[] = [];
  #entryCount = 0;
  #dictionaryAt = 0;
  #textKind: TextKind = TEXT_ASCII;

  constructor(node: LeafNode, values: number) {
    this.#node = node;
    this.#definitions = new Int32Array(values);
    this.#repetitions = new Int32Array(values);
    this.#fixed = allocateValues(node.leaf, values);
    this.#codes = new Int32Array(this.#fixed === null ? values : 0);
  }

  addDictionary(page: Page): void {
    this.#dictionary = readDictionary(this.#node.leaf, page);
    const { values, count, textKind } = this.#dictionary;
    if (isBinary(values)) this.#dictionaryAt = this.#addRun(values, count, textKind);
  }

  addPage(page: Page): void {
    const { definition, repetition } = this.#node;
    const count = page.header.values;
    if (this.#count + count > this.#definitions.length) throw this.#tooMany();
    const ranges = findLevels(page, repetition, definition);
    const { levels } = page;
    if (repetition > 0) {
      const { repetitionStart, repetitionEnd } = ranges;
      const decoded = decodeLevels(levels, repetitionStart, repetitionEnd, repetition, count);
      this.#repetitions.set(decoded, this.#count);
    }
    let present = count;
    if (definition > 0) {
      const { definitionStart, definitionEnd } = ranges;
      const decoded = decodeLevels(levels, definitionStart, definitionEnd, definition, count);
      this.#definitions.set(decoded, this.#count);
      present = countOf(decoded, count, definition);
    }
    this.#count += count;
    this.#addValues(page, ranges.valuesStart, present);
    this.#present += present;
  }

  finish(): NestedLeaf {
    if (this.#count !== this.#definitions.length) {
      throw corrupt(`Column "${this.#node.leaf.name}" has too few values.`);
    }
    return {
      definitions: this.#definitions,
      repetitions: this.#repetitions,
      count: this.#count,
      fixed: this.#fixed,
      codes: this.#codes,
      entries: joinRuns(this.#runs, this.#entryCount),
      textKind: this.#textKind,
    };
  }

  #addValues(page: Page, at: number, present: number): void {
    const { encoding } = page.header;
    const coded = encoding === ENCODING_RLE_DICTIONARY || encoding === ENCODING_PLAIN_DICTIONARY;
    if (coded) {
      this.#addCodes(page, at, present);
      return;
    }
    const values = decodeValues(this.#node.leaf, encoding, page.values, at, present);
    if (isBinary(values)) {
      const first = this.#addRun(values, present, kindOf(this.#node.leaf, values, present));
      for (let index = 0; index < present; index++)
        this.#codes[this.#present + index] = first + index;
    } else if (this.#fixed !== null) copyValues(values, this.#fixed, this.#present);
  }

  #addCodes(page: Page, at: number, present: number): void {
    const dictionary = this.#dictionary;
    if (dictionary === null) throw corrupt('A page refers to a dictionary that is not there.');
    const codes = new Int32Array(present);
    codesOf(page, at).read(present, codes);
    const { values, count } = dictionary;
    if (!isBinary(values) && this.#fixed !== null) {
      const target = this.#fixed.subarray(this.#present);
      if (!gatherFor(target)(values, codes, present, target)) throw outsideDictionary();
      return;
    }
    for (let index = 0; index < present; index++) {
      if (codes[index] >>> 0 >= count) throw outsideDictionary();
      this.#codes[this.#present + index] = this.#dictionaryAt + codes[index];
    }
  }

  /** Adds entries and returns the number of the first. */
  #addRun(values: BinaryValues, count: number, textKind: TextKind): number {
    const first = this.#entryCount;
    this.#runs.push({ values, count });
    this.#entryCount += count;
    if (textKind > this.#textKind) this.#textKind = textKind;
    return first;
  }

  #tooMany(): Error {
    return corrupt(`Column "${this.#node.leaf.name}" has more values than its footer says.`);
  }
}

function joinRuns(
  runs: readonly { readonly values: BinaryValues; readonly count: number }[],
  entries: number,
): BinaryValues {
  const total = runs.reduce((sum, { values, count }) => sum + values.offsets[count], 0);
  if (total > 2 ** 31 - 1) throw corrupt('A row group holds more than 2 GiB of text.');
  const offsets = new Int32Array(entries + 2);
  const bytes = new Uint8Array(total);
  let entry = 0;
  let at = 0;
  for (const { values, count } of runs) {
    const end = values.offsets[count];
    bytes.set(values.bytes.subarray(0, end), at);
    for (let index = 0; index < count; index++) offsets[++entry] = at + values.offsets[index + 1];
    at += end;
  }
  offsets[entries + 1] = at;
  return { offsets, bytes };
}

function countOf(levels: Int32Array, count: number, level: number): number {
  let found = 0;
  for (let index = 0; index < count; index++) if (levels[index] === level) found++;
  return found;
}

function outsideDictionary(): Error {
  return corrupt('A page refers to a value that its dictionary does not have.');
}
