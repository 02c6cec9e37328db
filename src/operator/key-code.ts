/**
 * Code that hashes a key and hands it to a state table: by value, on bytes where the text still is in a column,
 * once per dictionary entry. Callers: the fragments of keyed operators and of hash partitioners. Runs on:
 * worker, when a chain is compiled. Invariant: sender and receiver of a hash exchange compute the same hash,
 * whatever form the key has on either side.
 */
import { MillraceError } from '../base/errors.js';
import {
  combineHash,
  hashBigint,
  hashBool,
  hashBytes,
  hashColumn,
  hashNumber,
  hashText,
  hashTextBytes,
  TUPLE_HASH_START,
} from '../record/key-hash.js';
import type { DataType } from '../record/schema.js';
import { formOf, typeName } from '../record/schema.js';
import { SHORT_TEXT_BYTES_MAX } from '../record/short-text.js';
import { encodeTextInto } from '../record/text.js';
import { wordView } from '../record/words.js';
import { type FieldValue, KEY_FIELD } from './flow-row.js';
import type { CodeBlock } from './code-block.js';
import type { BinaryPlace } from './code-value.js';
import type { CodeUnit } from './code-unit.js';

const NUMBER_KINDS: ReadonlySet<DataType['kind']> = new Set([
  'number',
  'int8',
  'int16',
  'int32',
  'uint8',
  'uint16',
  'uint32',
  'float32',
  'float64',
]);
const UNKEYED_KINDS: ReadonlySet<DataType['kind']> = new Set(['any', 'list', 'struct', 'map']);
const NUMBER: DataType = Object.freeze({ kind: 'number' });

/** Whether a type is one of the kinds whose values are JavaScript numbers that calculate. */
export function isNumberType(type: DataType): boolean {
  return NUMBER_KINDS.has(type.kind);
}

/** The type under which a state table keeps a key: all number kinds are one, so that schemas may widen. */
export function tableKeyType(type: DataType): DataType {
  return isNumberType(type) ? NUMBER : type;
}

/** A key for people; one that a function computes has no name of theirs. */
export function keyText(name: string): string {
  return name === KEY_FIELD ? 'The result of the key function' : `Key "${name}"`;
}

/** Refuses types whose values are not hashed and compared by value. */
export function checkKeyType(operator: string, name: string, type: DataType): void {
  if (!UNKEYED_KINDS.has(type.kind)) return;
  throw new MillraceError(
    'KEY_UNSUPPORTED',
    `${keyText(name)} of ${JSON.stringify(operator)} is ${typeName(type)}, ` +
      'which is not hashed and compared by value.',
    {
      where: { operator, field: name },
      advice:
        'Key by text, numbers, dates, booleans or bytes, or by several such fields: ' +
        "keyBy('a', 'b').",
    },
  );
}

/** Memory for the bytes of a key that is a string, until the table has compared it. */
export class KeyText {
  bytes = new Uint8Array(256);
  view = wordView(this.bytes);

  /** Encodes a text at the start of `bytes` and gives the bytes written. */
  encode(text: string): number {
    if (text.length * 3 > this.bytes.length) {
      this.bytes = new Uint8Array(text.length * 6);
      this.view = wordView(this.bytes);
    }
    return encodeTextInto(text, this.bytes, 0);
  }
}

/** Code of the hash of one value; statements it needs go to `place`. The value is not null there. */
export function hashCode(unit: CodeUnit, value: FieldValue, place: CodeBlock): string {
  const { type } = value;
  switch (formOf(type)) {
    case 'i64':
      return `${unit.constant(hashBigint, 'hashBigint')}(${value.value})`;
    case 'u8':
      return `${unit.constant(hashBool, 'hashBool')}(${value.value})`;
    case 'utf8':
      return value.binary === null
        ? `${unit.constant(hashText, 'hashText')}(${value.value})`
        : binaryHashCode(unit, value.binary, true);
    case 'bytes': {
      if (value.binary !== null) return binaryHashCode(unit, value.binary, false);
      const bytes = unit.fresh('bytes');
      place.line(`const ${bytes} = ${value.value};`);
      return `${unit.constant(hashBytes, 'hashBytes')}(${bytes}, 0, ${bytes}.length)`;
    }
    default:
      return `${unit.constant(hashNumber, 'hashNumber')}(${value.value})`;
  }
}

/** A dictionary is hashed whole, once; a column without repetition only where a hash is asked for. */
function binaryHashCode(unit: CodeUnit, binary: BinaryPlace, isText: boolean): string {
  const parts = binaryParts(unit, binary);
  const { column } = binary;
  const kind = binary.range?.textKind ?? unit.hoist(`${column}.textKind`, 'textKind');
  const range = `${parts.bytes}, ${parts.start}, ${parts.end}`;
  const single = isText
    ? `${unit.constant(hashTextBytes, 'hashTextBytes')}(${range}, ${kind})`
    : `${unit.constant(hashBytes, 'hashBytes')}(${range})`;
  if (parts.entry === null) return single;
  const whole = unit.constant(hashColumn, 'hashColumn');
  const hashes = unit.hoist(`${column}.isDictionary ? ${whole}(${column}) : null`, 'hashes');
  return `(${hashes} !== null ? ${hashes}[${parts.entry}] : ${single})`;
}

/** Code of the memory, start and end of a value in a binary column, and of its entry if it may be shared. */
export function binaryParts(
  unit: Pick<CodeUnit, 'hoist'>,
  binary: BinaryPlace,
): {
  readonly bytes: string;
  readonly start: string;
  readonly end: string;
  readonly entry: string | null;
} {
  const { column, range } = binary;
  if (range !== undefined) return { ...range, entry: null };
  const codes = unit.hoist(`${column}.codes`, `${column}_codes`);
  const offsets = unit.hoist(`${column}.offsets`, `${column}_offsets`);
  const bytes = unit.hoist(`${column}.bytes`, `${column}_bytes`);
  const entry = `${codes}[${binary.row}]`;
  return { bytes, start: `${offsets}[${entry}]`, end: `${offsets}[${entry} + 1]`, entry };
}

/** Code of the arguments by which a state table takes one key value; statements go to `place`. */
export function keyArguments(
  unit: CodeUnit,
  value: FieldValue,
  place: CodeBlock,
): readonly string[] {
  switch (formOf(value.type)) {
    case 'u8':
      return [`(${value.value} ? 1 : 0)`];
    case 'utf8': {
      if (value.binary !== null) return binaryArguments(unit, value.binary);
      const text = unit.constant(new KeyText(), 'keyText');
      const length = unit.fresh('keyBytes');
      place.line(`const ${length} = ${text}.encode(${value.value});`);
      return [`${text}.bytes`, '0', length];
    }
    case 'bytes': {
      if (value.binary !== null) return binaryArguments(unit, value.binary);
      const bytes = unit.fresh('bytes');
      place.line(`const ${bytes} = ${value.value};`);
      return [bytes, '0', `${bytes}.length`];
    }
    default:
      return [value.value];
  }
}

/** A text or bytes value as memory and range; words can be loaded up to where `last` says. */
interface TextKey {
  readonly bytes: string;
  readonly start: string;
  readonly end: string;
  /** Null where words cannot be loaded. */
  readonly view: { readonly view: string; readonly last: string } | null;
}

/** Code of the memory and range of a text or bytes value, which is written into some if it is in none. */
export function textKeyCode(unit: CodeUnit, value: FieldValue, place: CodeBlock): TextKey {
  if (value.binary !== null) {
    const { bytes, start, end } = binaryParts(unit, value.binary);
    const { range } = value.binary;
    const isSteady = range?.steady ?? true;
    if (!isSteady && range?.view === undefined) return { bytes, start, end, view: null };
    const view =
      range?.view ?? unit.hoist(`${unit.constant(wordView, 'wordView')}(${bytes})`, 'view');
    const length = `${view}.byteLength - ${SHORT_TEXT_BYTES_MAX}`;
    return {
      bytes,
      start,
      end,
      view: { view, last: isSteady ? unit.hoist(length, 'last') : length },
    };
  }
  const [bytes, start, end] = keyArguments(unit, value, place);
  if (formOf(value.type) !== 'utf8') return { bytes, start, end, view: null };
  // Memory of texts has room for more than a short one.
  const view = bytes.replace(/bytes$/, 'view');
  return { bytes, start, end, view: { view, last: '0' } };
}

function binaryArguments(unit: CodeUnit, binary: BinaryPlace): readonly string[] {
  const { bytes, start, end } = binaryParts(unit, binary);
  return [bytes, start, end];
}

/** Code of the hash of a whole key; one value hashes as itself, several as Java's `Arrays.hashCode`. */
export function tupleHashCode(
  unit: CodeUnit,
  values: readonly FieldValue[],
  place: CodeBlock,
): string {
  if (values.length === 1) return hashCode(unit, values[0], place);
  const combine = unit.constant(combineHash, 'combineHash');
  let hash = String(TUPLE_HASH_START);
  for (const value of values) hash = `${combine}(${hash}, ${hashCode(unit, value, place)})`;
  return hash;
}
