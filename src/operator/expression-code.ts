/**
 * Small pieces of JavaScript text: literals, parentheses where they are needed, boolean combinations, and the
 * filling of templates. Callers: the expression compiler. Runs on: any thread; pure.
 */
import type { DataType } from '../record/schema.js';
import type { JsValue } from './code-value.js';
import type { LiteralValue } from './expression.js';

/** Code of a literal. */
export function literalCode(value: LiteralValue): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'bigint') return `${value}n`;
  return Object.is(value, -0) ? '-0' : String(value);
}

/** Code of some value of a type, to stand where the value is null. */
export function placeholderCode(type: DataType): string {
  switch (type.kind) {
    case 'utf8':
      return '""';
    case 'bool':
      return 'false';
    case 'int64':
    case 'decimal':
      return '0n';
    case 'bytes':
    case 'null':
    case 'any':
    case 'list':
    case 'struct':
    case 'map':
      return 'null';
    default:
      return '0';
  }
}

/**
 * Code of a value, or of a placeholder where it is null: null itself would make a number an object to the compiler, and
 * what is null is not looked at. `isNull` is code that is cheap to read.
 */
export function filledCode({ type, value, digits }: JsValue, isNull: string): string {
  const own = digits ?? value;
  if (isNull === 'false') return own;
  const placeholder = digits === undefined ? placeholderCode(type) : '0';
  return `${isNull} ? ${placeholder} : ${own}`;
}

/** Code in parentheses unless it binds as tightly as a name, a literal or a call. */
export function paren(code: string): string {
  return isAtomic(code) ? code : `(${code})`;
}

const WORD = /[\w$]+/y;
const TEXT = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/y;

/** Whether code is a name, literal, call, member access, or in parentheses, as a whole. */
export function isAtomic(code: string): boolean {
  let at = matchEnd(WORD, code, 0) ?? matchEnd(TEXT, code, 0) ?? groupEnd(code, 0);
  while (at !== null && at < code.length) {
    at = code[at] === '.' ? matchEnd(WORD, code, at + 1) : groupEnd(code, at);
  }
  return at !== null;
}

function matchEnd(pattern: RegExp, code: string, at: number): number | null {
  pattern.lastIndex = at;
  return pattern.test(code) ? pattern.lastIndex : null;
}

/** End of the bracketed group that starts at `start`, null when none starts there. */
function groupEnd(code: string, start: number): number | null {
  if (code[start] !== '(' && code[start] !== '[') return null;
  let depth = 0;
  for (let at = start; at < code.length; ) {
    const textEnd = matchEnd(TEXT, code, at);
    if (textEnd !== null) {
      at = textEnd;
      continue;
    }
    if (code[at] === '(' || code[at] === '[') depth++;
    if (code[at] === ')' || code[at] === ']') depth--;
    at++;
    if (depth === 0) return at;
  }
  return null;
}

/** Whether reading code twice costs nothing: a name or a literal. */
export function isCheap(code: string): boolean {
  return /^-?[\w$]+(?:\.\w+)?$/.test(code) || matchEnd(TEXT, code, 0) === code.length;
}

/** Code that is true when one of the codes is. */
export function anyOf(codes: readonly string[]): string {
  const parts = [...new Set(codes)].filter((code) => code !== 'false');
  if (parts.includes('true')) return 'true';
  if (parts.length === 0) return 'false';
  return parts.length === 1 ? parts[0] : parts.map(parenLogic).join(' || ');
}

/** Code that is true when all of the codes are. */
export function allOf(codes: readonly string[]): string {
  const parts = [...new Set(codes)].filter((code) => code !== 'true');
  if (parts.includes('false')) return 'false';
  if (parts.length === 0) return 'true';
  return parts.length === 1 ? parts[0] : parts.map(parenLogic).join(' && ');
}

/** The same where comparisons and negations need none: beside `&&`, `||` and before `?`. */
export function parenLogic(code: string): string {
  return isAtomic(code) || isNegation(code) || isComparison(code) ? code : `(${code})`;
}

function isNegation(code: string): boolean {
  return code.startsWith('!') && isAtomic(code.slice(1));
}

/** The operator of a comparison of two atoms and where it stands; null for other code. */
function comparisonSign(code: string): { readonly sign: string; readonly at: number } | null {
  const match = / (===|!==|==|!=|<=|>=|<|>) /.exec(code);
  if (match === null) return null;
  const [left, right] = [code.slice(0, match.index), code.slice(match.index + match[0].length)];
  return isOperand(left) && isOperand(right) ? { sign: match[1], at: match.index + 1 } : null;
}

function isComparison(code: string): boolean {
  return comparisonSign(code) !== null;
}

function isOperand(code: string): boolean {
  return isAtomic(code) || /^-[\d.]+n?$/.test(code);
}

/** Only equality has an opposite operator: with NaN, `!(a < b)` is not `a >= b`. */
const OPPOSITES: ReadonlyMap<string, string> = new Map([
  ['===', '!=='],
  ['!==', '==='],
  ['==', '!='],
  ['!=', '=='],
]);

/** The opposite of boolean code. */
export function negated(code: string): string {
  if (code === 'true') return 'false';
  if (code === 'false') return 'true';
  if (isNegation(code)) return code.slice(1);
  const found = comparisonSign(code);
  const opposite = found === null ? undefined : OPPOSITES.get(found.sign);
  if (found === null || opposite === undefined) return `!${paren(code)}`;
  return code.slice(0, found.at) + opposite + code.slice(found.at + found.sign.length);
}

/** What a template refers to. */
export interface TemplateParts {
  readonly args: readonly string[];
  /** Identifier of the prepared form of literal argument `index`. */
  prepared(index: number): string;
  /** Identifier of a runtime function. */
  helper(name: string): string;
  readonly binary: { readonly column: string; readonly row: string } | null;
}

const PLACE = /\$(\d)|\$\*|\$([cr])|#(\d)|@(\w+)/g;

/** Fills a template; arguments get parentheses unless they stand alone between commas and parentheses. */
export function fillTemplate(template: string, parts: TemplateParts): string {
  return template.replace(
    PLACE,
    (place, index?: string, binary?: string, prepared?: string, helper?: string, at?: number) => {
      if (prepared !== undefined) return parts.prepared(Number(prepared));
      if (helper !== undefined) return parts.helper(helper);
      if (binary !== undefined) {
        return (binary === 'c' ? parts.binary?.column : parts.binary?.row) ?? '';
      }
      if (index === undefined) return parts.args.join(', ');
      const code = parts.args[Number(index)];
      return standsAlone(template, at ?? 0, place.length) ? code : paren(code);
    },
  );
}

function standsAlone(template: string, at: number, length: number): boolean {
  const before = template.slice(0, at).trimEnd();
  const after = template.slice(at + length).trimStart();
  return (before === '' || /[(,]$/.test(before)) && (after === '' || /^[),]/.test(after));
}
