/**
 * Reads expressions as `expression-text.ts` prints them, and as people write them: `amount > 100 and origin in ("ATL",
 * "ORD")`. Callers: whoever is given a condition as text, such as the filter of a tap. Runs on: any thread; pure.
 * Invariant: what an expression prints is read as one that prints the same.
 */
import { MillraceError } from '../base/errors.js';
import type { Expression, LiteralValue } from './expression.js';
import { EXPRESSION_FUNCTIONS, requireFunction } from './expression-functions.js';

/** Kinds of tokens, each as a pattern; one that comes earlier is taken. */
const TOKENS = {
  time: String.raw`\d{4}-\d\d-\d\dT[\d:.]+Z`,
  number: String.raw`\d+n|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?`,
  word: String.raw`[\p{L}_$][\p{L}\p{N}_$]*`,
  quoted: '`(?:[^`]|``)*`',
  text: String.raw`"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'`,
  sign: '<>|!=|<=|>=|==|[-=<>+*/%(),.]',
};
const TOKEN = new RegExp(
  `\\s*(?:${Object.entries(TOKENS)
    .map(([kind, pattern]) => `(?<${kind}>${pattern})`)
    .join('|')})`,
  'uy',
);

type Kind = keyof typeof TOKENS | 'end';
interface Token {
  readonly kind: Kind;
  readonly text: string;
  readonly at: number;
}

interface Between {
  readonly fn: string;
  readonly binds: number;
  readonly isList: boolean;
}

/** Functions that are written between their arguments, by sign. */
const BETWEEN: ReadonlyMap<string, Between> = new Map([
  ...EXPRESSION_FUNCTIONS.flatMap(({ name, infix }): [string, Between][] =>
    infix?.position !== 'between'
      ? []
      : [[infix.symbol, { fn: name, binds: infix.binds, isList: infix.associative === true }]],
  ),
  ['==', { fn: 'eq', binds: 4, isList: false }],
  ['<>', { fn: 'ne', binds: 4, isList: false }],
]);
const COMPARISON = 4;
const PREFIX = 8;
/** Words that are no columns unless they stand in back quotes. */
const CONSTANTS: ReadonlyMap<string, LiteralValue> = new Map<string, LiteralValue>([
  ['true', true],
  ['false', false],
  ['null', null],
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
]);
/** How deep parentheses may stand in each other. */
const DEPTH_MAX = 100;

/**
 * The expression that a text says. Throws EXPRESSION_INVALID with the place, or FUNCTION_UNKNOWN.
 *
 * @example
 * parseExpression('amount > 100 and country is not null');
 */
export function parseExpression(text: string): Expression {
  const parser = new Parser(text);
  const expression = parser.expression(0);
  parser.expectEnd();
  return expression;
}

class Parser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = tokensOf(text);
  }

  /** An expression whose operators bind more than `least`. */
  expression(least: number): Expression {
    if (++this.#depth > DEPTH_MAX) throw this.#wrong(`is nested more than ${DEPTH_MAX} deep`);
    let left = this.#prefixed();
    for (;;) {
      const longer = this.#followed(left, least);
      if (longer === null) break;
      left = longer;
    }
    this.#depth--;
    return left;
  }

  expectEnd(): void {
    if (this.#peek().kind !== 'end') throw this.#wrong('should have ended');
  }

  /** `left` with the operator behind it; null when that is for somebody else. */
  #followed(left: Expression, least: number): Expression | null {
    if (COMPARISON > least && this.#take('is')) {
      const isNot = this.#take('not');
      this.#expect('null');
      return call(isNot ? 'isNotNull' : 'isNull', [left]);
    }
    if (COMPARISON > least && this.#take('in')) {
      this.#expect('(');
      return call('in', [left, ...this.#rest()]);
    }
    const token = this.#peek();
    const between = BETWEEN.get(token.kind === 'word' ? token.text.toLowerCase() : token.text);
    const isSign = token.kind === 'sign' || token.kind === 'word';
    if (between === undefined || !isSign || between.binds <= least) return null;
    this.#next++;
    const right = this.expression(between.binds);
    const isLonger = between.isList && left.node === 'call' && left.fn === between.fn;
    return call(between.fn, isLonger ? [...left.args, right] : [left, right]);
  }

  #prefixed(): Expression {
    if (this.#take('not')) return call('not', [this.expression(PREFIX - 1)]);
    if (!this.#take('-')) return this.#membersOf(this.#atom());
    const { kind } = this.#peek();
    const operand = this.expression(PREFIX - 1);
    const isNegative = kind === 'number' && operand.node === 'literal';
    if (!isNegative) return call('neg', [operand]);
    return { node: 'literal', value: -(operand.value as number) };
  }

  /** `user.city` is the field of a nested object. */
  #membersOf(whole: Expression): Expression {
    let value = whole;
    while (whole.node === 'column' && this.#take('.')) {
      const { kind, text } = this.#advance();
      if (kind !== 'word' && kind !== 'quoted') throw this.#wrong('should name a field', -1);
      value = call('get', [value, { node: 'literal', value: nameIn(kind, text) }]);
    }
    return value;
  }

  #atom(): Expression {
    const { kind, text } = this.#advance();
    if (kind === 'number') return { node: 'literal', value: numberIn(text) };
    if (kind === 'text') return { node: 'literal', value: this.#textIn(text) };
    if (kind === 'time') return timestamp(Date.parse(text));
    if (kind === 'quoted') return { node: 'column', name: nameIn(kind, text) };
    if (kind === 'word') return this.#named(text);
    if (text !== '(') throw this.#wrong('should be a value', -1);
    const inner = this.expression(0);
    this.#expect(')');
    return inner;
  }

  #named(word: string): Expression {
    const constant = CONSTANTS.get(word);
    if (constant !== undefined) return { node: 'literal', value: constant };
    if (word === 'case') return this.#case();
    if (!this.#take('(')) return { node: 'column', name: word };
    const args = this.#rest();
    const [first] = args;
    const isTime = word === 'timestamp' && args.length === 1 && first?.node === 'literal';
    if (isTime && typeof first.value === 'number') return timestamp(first.value);
    requireFunction(word);
    return call(word, args);
  }

  #case(): Expression {
    const branches: { when: Expression; then: Expression }[] = [];
    while (this.#take('when')) {
      const when = this.expression(0);
      this.#expect('then');
      branches.push({ when, then: this.expression(0) });
    }
    if (branches.length === 0) throw this.#wrong('should be "when"');
    const otherwise = this.#take('else') ? this.expression(0) : null;
    this.#expect('end');
    return { node: 'case', branches, otherwise };
  }

  /** Arguments up to the parenthesis that closes them. */
  #rest(): readonly Expression[] {
    if (this.#take(')')) return [];
    const args = [this.expression(0)];
    while (this.#take(',')) args.push(this.expression(0));
    this.#expect(')');
    return args;
  }

  #textIn(text: string): string {
    if (text.startsWith("'")) return text.slice(1, -1).replaceAll("''", "'");
    try {
      return JSON.parse(text) as string;
    } catch {
      throw this.#wrong('is no text as JSON has it', -1);
    }
  }

  #peek(): Token {
    return this.#tokens[Math.min(this.#next, this.#tokens.length - 1)];
  }

  #advance(): Token {
    const token = this.#peek();
    this.#next++;
    return token;
  }

  /** Whether a word or sign comes next, which is then taken. */
  #take(wanted: string): boolean {
    const { kind, text } = this.#peek();
    if (kind !== 'sign' && kind !== 'word') return false;
    if (text.toLowerCase() !== wanted) return false;
    this.#next++;
    return true;
  }

  #expect(wanted: string): void {
    if (!this.#take(wanted)) throw this.#wrong(`should be ${JSON.stringify(wanted)}`);
  }

  #wrong(what: string, offset = 0): MillraceError {
    const token = this.#tokens[Math.min(this.#next + offset, this.#tokens.length - 1)];
    return wrong(this.#text, token.at, token.kind === 'end' ? 'The end' : token.text, what);
  }
}

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < end) {
    const from = TOKEN.lastIndex;
    const { groups } = TOKEN.exec(text) ?? {};
    const [kind, found] = Object.entries(groups ?? {}).find(([, one]) => one !== undefined) ?? [];
    if (kind === undefined || found === undefined) {
      const at = from + (/^\s*/.exec(text.slice(from))?.[0].length ?? 0);
      throw wrong(text, at, text[at] ?? '', 'begins nothing that expressions have');
    }
    tokens.push({ kind: kind as Kind, text: found, at: TOKEN.lastIndex - found.length });
  }
  return [...tokens, { kind: 'end', text: '', at: end }];
}

function wrong(text: string, at: number, token: string, what: string): MillraceError {
  return new MillraceError(
    'EXPRESSION_INVALID',
    `${token} at character ${at + 1} of ${JSON.stringify(text)} ${what}.`,
    {
      advice:
        'Write, for example, amount > 100 and origin in ("ATL", "ORD"); a name that is no word ' +
        'stands in back quotes, and docs/expressions.md has the functions.',
    },
  );
}

function call(fn: string, args: readonly Expression[]): Expression {
  return { node: 'call', fn, args };
}

function timestamp(ms: number): Expression {
  return { node: 'literal', value: ms, timestamp: true };
}

function nameIn(kind: Kind, text: string): string {
  return kind === 'quoted' ? text.slice(1, -1).replaceAll('``', '`') : text;
}

function numberIn(text: string): number | bigint {
  return text.endsWith('n') ? BigInt(text.slice(0, -1)) : Number(text);
}
