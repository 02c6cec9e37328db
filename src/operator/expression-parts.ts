/**
 * Compiles `splitPart` and `regexpExtract` of a text in a column to the range of the result, so that whatever works on
 * bytes never decodes it. Callers: the expression compiler. Runs on: any thread, when code is generated; pure.
 * Invariant: the result is that of the runtime function, which stays for all that is not told when code is generated.
 */
import { assert } from '../base/assert.js';
import type { JsValue } from './code-value.js';
import type { Scope } from './expression-scope.js';
import type { TypedExpression } from './expression-typed.js';
import { binaryParts } from './key-code.js';
import {
  findPart,
  ITEM_FIELD,
  PART_END,
  PART_ROW,
  PART_START,
  separatorBytes,
  TextPart,
} from './text-parts.js';
import { textAt } from '../record/text.js';
import { findOnce, type PatternFinder, patternFinder } from './pattern-finder.js';
import { wordView } from '../record/words.js';

/** Which part is wanted. */
interface SplitPart {
  readonly kind: 'part';
  readonly separator: Uint8Array;
  readonly index: number;
}

/** What a regular expression finds. */
interface PatternMatch {
  readonly kind: 'match';
  /** Tells it from others. */
  readonly text: string;
  readonly find: PatternFinder;
}

type TextRange = SplitPart | PatternMatch;
type Call = TypedExpression & { readonly node: 'call' };

/** What a call takes of its text, where bytes can tell; null for other calls. */
export function textRangeOf(node: Call): TextRange | null {
  return node.fn.name === 'splitPart' ? splitPartOf(node) : patternMatchOf(node);
}

function splitPartOf(node: Call): SplitPart | null {
  const [, separator, index] = node.args;
  if (separator.node !== 'literal' || index.node !== 'literal') return null;
  const bytes = separatorBytes(separator.value);
  if (bytes === null || typeof index.value !== 'number' || !(index.value >= 0)) return null;
  return { kind: 'part', separator: bytes, index: Math.trunc(index.value) };
}

function patternMatchOf({ fn, use }: Call): PatternMatch | null {
  if (fn.name !== 'regexpExtract' || use === null) return null;
  const [, pattern, group = 0] = use.prepared;
  if (!(pattern instanceof RegExp) || typeof group !== 'number') return null;
  const find = patternFinder(pattern, group);
  return find && { kind: 'match', text: `${group} of ${String(pattern)}`, find };
}

/** The length of a text with something replaced by something else, which is counted; null for other calls. */
export function replacedLengthOf(
  { fn, args: [inner] }: Call,
  compile: (text: TypedExpression) => JsValue,
  scope: Scope,
): Pick<JsValue, 'value' | 'isNull'> | null {
  if (fn.name !== 'length' || inner.node !== 'call' || inner.fn.name !== 'replace') return null;
  const [text, search, replacement] = inner.args;
  if (search.node !== 'literal' || replacement.node !== 'literal') return null;
  const bytes = separatorBytes(search.value);
  if (bytes === null || typeof replacement.value !== 'string') return null;
  const { binary, isNull } = compile(text);
  if (binary === null) return null;
  const literal = scope.once(`bytes ${bytes.join()}`, () => bytes, 'separator');
  const more = replacement.value.length - String(search.value).length;
  const place = `${binary.column}, ${binary.row}, ${literal}, ${more}`;
  return { value: `${scope.helper('replacedLength')}(${place})`, isNull };
}

/** Whether the bytes of a text lie in a column that is the same for all rows of a batch. */
export function isSteadyText({ binary }: JsValue): boolean {
  return binary !== null && (binary.range?.steady ?? true);
}

/** The part of a steady text, null where there is none. One that has been found already is not looked for again. */
export function textRangeCode(text: JsValue, part: TextRange, scope: Scope): JsValue {
  const { binary } = text;
  assert(binary !== null, 'A steady text lies in a column.');
  const key = rangeKey(binaryParts(scope, binary).start, part);
  const columns = scope.once(key, () => new TextPart(), 'textPart');
  const column = scope.hoist(`${columns}.of(${binary.column})`, 'part');
  const range = scope.hoist(`${column}.offsets`, 'partRange');
  const bytes = scope.hoist(`${column}.bytes`, 'partBytes');
  const found =
    scope.localOf(key) ?? scope.local(key, findCode(text, part, range, scope), 'isPart');
  const start = scope.local(`${key} start`, `${range}[${PART_START}]`, 'start');
  const end = scope.local(endKey(key), `${range}[${PART_END}]`, 'end');
  return {
    type: ITEM_FIELD.type,
    nullable: true,
    value: `${scope.constant(textAt, 'textAt')}(${column}, ${PART_ROW})`,
    isNull: `!${found}`,
    binary: { column, row: PART_ROW, range: { bytes, start, end, steady: true } },
  };
}

function rangeKey(start: string, part: TextRange): string {
  const what = part.kind === 'match' ? part.text : `${part.index} by ${part.separator.join()}`;
  return `${part.kind} ${what} from ${start}`;
}

function endKey(part: string): string {
  return `${part} end`;
}

/** Code that finds the range of a text that is not null. */
function findCode(text: JsValue, part: TextRange, range: string, scope: Scope): string {
  const { binary, isNull } = text;
  assert(binary !== null, 'A steady text lies in a column.');
  const place = binaryParts(scope, binary);
  const view = scope.hoist(`${scope.constant(wordView, 'wordView')}(${place.bytes})`, 'view');
  const memory = `${range}, ${place.bytes}, ${view}`;
  const isThere = isNull === 'false' ? '' : `!(${isNull}) && `;
  if (part.kind === 'part') return partCode(part, memory, place, isThere, scope);
  const find = scope.once(`find ${part.text}`, () => part.find, 'find');
  const args = `${memory}, ${place.start}, ${place.end}`;
  const { entry } = place;
  if (entry === null) return `${isThere}${find}(${args})`;
  const { column } = binary;
  const memo = `${column}.isDictionary ? new Int32Array(2 * ${column}.entries) : null`;
  // Another pattern has other results.
  const known = scope.hoist(`/* ${find} */ ${memo}`, 'known');
  const once = `${scope.constant(findOnce, 'findOnce')}(${find}, ${known}, ${entry}, ${args})`;
  return `${isThere}(${known} === null ? ${find}(${args}) : ${once})`;
}

/** Code that finds a part, from the last one on that is known already. */
function partCode(
  { separator, index }: SplitPart,
  memory: string,
  { start, end }: { readonly start: string; readonly end: string },
  isThere: string,
  scope: Scope,
): string {
  const find = scope.constant(findPart, 'findPart');
  const literal = scope.once(`bytes ${separator.join()}`, () => separator, 'separator');
  for (let before = index - 1; before >= 0; before--) {
    const key = rangeKey(start, { kind: 'part', separator, index: before });
    const [found, foundEnd] = [scope.localOf(key), scope.localOf(endKey(key))];
    if (found === null || foundEnd === null) continue;
    const rest = `${foundEnd} + ${separator.length}, ${end}, ${literal}, ${index - before - 1}`;
    return `${found} && ${foundEnd} < ${end} && ${find}(${memory}, ${rest})`;
  }
  return `${isThere}${find}(${memory}, ${start}, ${end}, ${literal}, ${index})`;
}
