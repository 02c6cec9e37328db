/**
 * Writes generated values straight into columns: one tight loop a field and batch. Callers:
 * `datagen.ts`. Runs on: worker. Invariant: a value is a pure function of the seed, the field's
 * number and the row, so results do not depend on how rows are dealt to subtasks; the rows of one
 * call share the upper 32 bits of their numbers.
 */
import type { Column } from '../../record/column.js';
import { BinaryColumn, FixedColumn, TEXT_ASCII } from '../../record/column.js';
import { identityCodes } from '../../record/identity-codes.js';
import type { Field } from '../../record/schema.js';
import { encodeText, textKindOf } from '../../record/text.js';
import { ROW_HIGH, rowBits, streamSeed, unitOf } from './counter-random.js';
import type { GeneratorSpec } from './generators.js';

/** Fills and shows one column. */
export interface FieldWriter {
  /**
   * Writes the values of rows `row`, `row + 1`, … at `offset` of the column; see the invariant
   * above.
   */
  fill(row: number, count: number, offset: number): void;
  /** The first `rows` values. */
  column(rows: number): Column;
}

/** The writer of a field with room for `capacity` rows; `seed` is that of the field. */
export function createFieldWriter(
  field: Field,
  spec: GeneratorSpec,
  seed: number,
  capacity: number,
): FieldWriter {
  if (spec.kind === 'choice') return new ChoiceWriter(field, spec, seed, capacity);
  if (spec.kind === 'text') return new TextWriter(field, spec, seed, capacity);
  if (spec.kind === 'booleans') {
    const values = new Uint8Array(capacity);
    return fixedWriter(field, values, (row, count, offset) =>
      fillBooleans(values, streamSeed(seed, 0, row), spec.chance, { row, count, offset }),
    );
  }
  const values = new Float64Array(capacity);
  return fixedWriter(field, values, numberFiller(spec, values, seed));
}

/** Which rows to write, and where. */
interface Range {
  readonly row: number;
  readonly count: number;
  readonly offset: number;
}

function fixedWriter(
  field: Field,
  values: Float64Array | Uint8Array,
  fill: FieldWriter['fill'],
): FieldWriter {
  return { fill, column: () => new FixedColumn(field, values, null, null) };
}

type NumberSpec = Exclude<GeneratorSpec, { kind: 'choice' | 'text' | 'booleans' }>;

function numberFiller(spec: NumberSpec, values: Float64Array, seed: number): FieldWriter['fill'] {
  switch (spec.kind) {
    case 'sequence':
      return (row, count, offset) => fillSequence(values, spec, { row, count, offset });
    case 'integers':
      return (row, count, offset) => fillIntegers(values, spec, seed, { row, count, offset });
    case 'floats':
      return (row, count, offset) => fillFloats(values, spec, seed, { row, count, offset });
    case 'normal':
      return (row, count, offset) => fillNormal(values, spec, seed, { row, count, offset });
    case 'timestamps':
      return (row, count, offset) => fillTimestamps(values, spec, seed, { row, count, offset });
  }
}

function fillSequence(
  values: Float64Array,
  spec: { readonly start: number; readonly step: number },
  range: Range,
): void {
  const { row, count, offset } = range;
  const { start, step } = spec;
  for (let index = 0; index < count; index++) values[offset + index] = start + (row + index) * step;
}

function fillIntegers(
  values: Float64Array,
  spec: { readonly min: number; readonly max: number },
  seed: number,
  range: Range,
): void {
  const { row, count, offset } = range;
  const { min } = spec;
  const span = spec.max - min + 1;
  const first = streamSeed(seed, 0, row);
  if (span <= ROW_HIGH) {
    const scale = span / ROW_HIGH;
    for (let index = 0; index < count; index++) {
      values[offset + index] = min + Math.floor((rowBits(first, row + index) >>> 0) * scale);
    }
    return;
  }
  const second = streamSeed(seed, 1, row);
  for (let index = 0; index < count; index++) {
    const unit = unitOf(rowBits(first, row + index), rowBits(second, row + index));
    values[offset + index] = min + Math.floor(unit * span);
  }
}

function fillFloats(
  values: Float64Array,
  spec: { readonly min: number; readonly max: number },
  seed: number,
  range: Range,
): void {
  const { row, count, offset } = range;
  const { min } = spec;
  const span = spec.max - min;
  const first = streamSeed(seed, 0, row);
  const second = streamSeed(seed, 1, row);
  for (let index = 0; index < count; index++) {
    values[offset + index] =
      min + unitOf(rowBits(first, row + index), rowBits(second, row + index)) * span;
  }
}

/** By Box and Muller: a radius and an angle out of one draw each. */
function fillNormal(
  values: Float64Array,
  spec: { readonly mean: number; readonly deviation: number },
  seed: number,
  range: Range,
): void {
  const { row, count, offset } = range;
  const { mean, deviation } = spec;
  const first = streamSeed(seed, 0, row);
  const second = streamSeed(seed, 1, row);
  for (let index = 0; index < count; index++) {
    const unit = ((rowBits(first, row + index) >>> 0) + 1) / ROW_HIGH;
    const turn = (rowBits(second, row + index) >>> 0) / ROW_HIGH;
    const deviate = Math.sqrt(-2 * Math.log(unit)) * Math.cos(2 * Math.PI * turn);
    values[offset + index] = mean + deviation * deviate;
  }
}

function fillTimestamps(
  values: Float64Array,
  spec: { readonly startMs: number; readonly stepMs: number; readonly jitterMs: number },
  seed: number,
  range: Range,
): void {
  const { row, count, offset } = range;
  const { startMs, stepMs, jitterMs } = spec;
  const first = streamSeed(seed, 0, row);
  const scale = jitterMs / ROW_HIGH;
  for (let index = 0; index < count; index++) {
    const late = (rowBits(first, row + index) >>> 0) * scale;
    values[offset + index] = Math.floor(startMs + (row + index) * stepMs + late);
  }
}

function fillBooleans(values: Uint8Array, seed: number, chance: number, range: Range): void {
  const { row, count, offset } = range;
  const limit = chance * ROW_HIGH;
  for (let index = 0; index < count; index++) {
    values[offset + index] = rowBits(seed, row + index) >>> 0 < limit ? 1 : 0;
  }
}

/** Entries of the table that turns 16 random bits into a weighted choice. */
const CHOICE_SLOTS = 65536;

class ChoiceWriter implements FieldWriter {
  readonly #field: Field;
  readonly #seed: number;
  readonly #codes: Int32Array;
  readonly #entries: number;
  readonly #offsets: Int32Array;
  readonly #bytes: Uint8Array;
  /**
   * Choice of each of `CHOICE_SLOTS` equal parts of the draws; null when all are equally likely.
   */
  readonly #slots: Int32Array | null;
  #last: BinaryColumn | null = null;

  constructor(
    field: Field,
    spec: GeneratorSpec & { readonly kind: 'choice' },
    seed: number,
    capacity: number,
  ) {
    this.#field = field;
    this.#seed = seed;
    this.#codes = new Int32Array(capacity);
    this.#entries = spec.values.length;
    const texts = spec.values.map(encodeText);
    this.#offsets = new Int32Array(texts.length + 1);
    this.#bytes = new Uint8Array(texts.reduce((sum, text) => sum + text.length, 0));
    for (const [entry, text] of texts.entries()) {
      this.#bytes.set(text, this.#offsets[entry]);
      this.#offsets[entry + 1] = this.#offsets[entry] + text.length;
    }
    this.#slots = spec.weights === null ? null : weightedSlots(spec.weights);
  }

  fill(row: number, count: number, offset: number): void {
    const codes = this.#codes;
    const slots = this.#slots;
    const seed = streamSeed(this.#seed, 0, row);
    if (slots !== null) {
      for (let index = 0; index < count; index++) {
        codes[offset + index] = slots[rowBits(seed, row + index) >>> 16];
      }
      return;
    }
    const scale = this.#entries / ROW_HIGH;
    for (let index = 0; index < count; index++) {
      codes[offset + index] = Math.floor((rowBits(seed, row + index) >>> 0) * scale);
    }
  }

  column(): BinaryColumn {
    const column = new BinaryColumn({
      field: this.#field,
      codes: this.#codes,
      offsets: this.#offsets,
      bytes: this.#bytes,
      entries: this.#entries,
      textKind: textKindOf(this.#bytes, 0, this.#bytes.length),
      validity: null,
      presence: null,
      isDictionary: true,
    });
    // The dictionary never changes, so what consumers remember of its entries goes on from batch to
    // batch.
    column.decoded = this.#last?.decoded ?? null;
    column.hashes = this.#last?.hashes ?? null;
    this.#last = column;
    return column;
  }
}

/** Every choice with a weight gets at least one slot; rounding is at most one part in 65 536. */
function weightedSlots(weights: readonly number[]): Int32Array {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const slots = new Int32Array(CHOICE_SLOTS);
  let sum = 0;
  let slot = 0;
  let last = 0;
  for (const [choice, weight] of weights.entries()) {
    if (weight === 0) continue;
    last = choice;
    sum += weight;
    const end = Math.max(slot + 1, Math.round((sum / total) * CHOICE_SLOTS));
    slots.fill(choice, slot, end);
    slot = end;
  }
  slots.fill(last, slot);
  return slots;
}

const LETTERS = Uint8Array.from('abcdefghijklmnopqrstuvwxyz0123456789', (letter) =>
  letter.charCodeAt(0),
);

class TextWriter implements FieldWriter {
  readonly #field: Field;
  readonly #seed: number;
  readonly #lengthMin: number;
  readonly #lengths: number;
  readonly #offsets: Int32Array;
  #bytes: Uint8Array;

  constructor(
    field: Field,
    spec: GeneratorSpec & { readonly kind: 'text' },
    seed: number,
    capacity: number,
  ) {
    this.#field = field;
    this.#seed = seed;
    this.#lengthMin = spec.lengthMin;
    this.#lengths = spec.lengthMax - spec.lengthMin + 1;
    this.#offsets = new Int32Array(capacity + 1);
    this.#bytes = new Uint8Array(capacity * Math.min(spec.lengthMax, 64));
  }

  fill(row: number, count: number, offset: number): void {
    const lengthSeed = streamSeed(this.#seed, 0, row);
    const letterSeed = streamSeed(this.#seed, 1, row);
    const offsets = this.#offsets;
    for (let index = 0; index < count; index++) {
      const draw = rowBits(lengthSeed, row + index) >>> 0;
      const length = this.#lengthMin + Math.floor((draw * this.#lengths) / ROW_HIGH);
      const start = offsets[offset + index];
      offsets[offset + index + 1] = start + length;
      if (start + length > this.#bytes.length) this.#grow(start + length);
      writeLetters(this.#bytes, start, start + length, rowBits(letterSeed, row + index));
    }
  }

  #grow(bytes: number): void {
    const grown = new Uint8Array(Math.max(bytes, this.#bytes.length * 2));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }

  column(rows: number): BinaryColumn {
    return new BinaryColumn({
      field: this.#field,
      codes: identityCodes(rows),
      offsets: this.#offsets,
      bytes: this.#bytes,
      entries: rows,
      textKind: TEXT_ASCII,
      validity: null,
      presence: null,
      isDictionary: false,
    });
  }
}

/**
 * Four letters come out of each draw, a byte each; the bias of 256 over 36 letters does not matter
 * here.
 */
function writeLetters(bytes: Uint8Array, start: number, end: number, seed: number): void {
  let bits = 0;
  for (let at = start; at < end; at++) {
    bits = ((at - start) & 3) === 0 ? rowBits(seed, at - start) : bits >>> 8;
    bytes[at] = LETTERS[((bits & 0xff) * LETTERS.length) >> 8];
  }
}
