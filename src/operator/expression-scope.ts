/**
 * Where the expression compiler writes: the place its caller gave it, or a block of statements that will stand
 * inside an `if`, so that what need not be computed is not. Remembers what has been computed within a block.
 * Callers: the expression compiler. Runs on: any thread; pure. Invariant: what was computed inside a block is
 * never referred to outside of it.
 */
import type { DataType } from '../record/schema.js';
import type { CodeContext, JsValue, SymbolicRow } from './code-value.js';
import { filledCode, isCheap } from './expression-code.js';
import { valueOfDigits } from './expression-digits.js';
import { RUNTIME } from './expression-runtime.js';
import type { TypedExpression } from './expression-typed.js';
import { assert } from '../base/assert.js';

/** A value that is never null and not in a column. */
export function plainValue(type: DataType, value: string): JsValue {
  return { type, nullable: false, value, isNull: 'false', binary: null };
}

/** A value that may be null and is not in a column. */
export function nullableValue(type: DataType, value: string, isNull: string): JsValue {
  if (isNull === 'false') return plainValue(type, value);
  return { type, nullable: true, value, isNull, binary: null };
}

/** A place in generated code and what is known there. */
export class Scope {
  readonly row: SymbolicRow;
  /** Whether an enclosing expression remembers its result per dictionary entry already. */
  isInsideMemo = false;
  private readonly context: CodeContext;
  private readonly parent: Scope | null;
  private readonly statements: string[] = [];
  private readonly locals = new Map<string, string>();
  private readonly known = new Map<TypedExpression, JsValue>();

  constructor(row: SymbolicRow, context: CodeContext, parent: Scope | null = null) {
    this.row = row;
    this.context = context;
    this.parent = parent;
    if (parent !== null) this.isInsideMemo = parent.isInsideMemo;
  }

  /** A block inside this place; its statements are printed by `block`. */
  child(): Scope {
    return new Scope(this.row, this.context, this);
  }

  statement(code: string): void {
    if (this.parent === null) this.context.statement(code);
    else this.statements.push(code);
  }

  get isEmpty(): boolean {
    return this.statements.length === 0;
  }

  /** The statements of this block followed by more, in braces. */
  block(...last: readonly string[]): string {
    const lines = [...this.statements, ...last].join('\n').split('\n');
    return `{\n${lines.map((line) => `  ${line}`).join('\n')}\n}`;
  }

  fresh(hint: string): string {
    return this.context.fresh(hint);
  }

  constant(value: unknown, hint: string): string {
    return this.context.constant(value, hint);
  }

  once(key: string, make: () => unknown, hint: string): string {
    return this.context.once(key, make, hint);
  }

  /** A local with the value of code that has no effects: the one with this key, where there is one already. */
  local(key: string, code: string, hint: string): string {
    const known = this.localOf(key);
    if (known !== null) return known;
    const name = this.fresh(hint);
    if (this.parent === null) this.context.local(key, name, code);
    else {
      this.locals.set(key, name);
      this.statement(`const ${name} = ${code};`);
    }
    return name;
  }

  localOf(key: string): string | null {
    const known = this.locals.get(key);
    if (known !== undefined) return known;
    return this.parent === null ? this.context.localOf(key) : this.parent.localOf(key);
  }

  hoist(expression: string, hint: string): string {
    return this.context.hoist(expression, hint);
  }

  /** The identifier of a function of the runtime. */
  helper(name: string): string {
    const helper = RUNTIME[name];
    assert(helper !== undefined, `A template calls ${name}, which is no runtime function.`);
    return this.context.constant(helper, name);
  }

  recall(node: TypedExpression): JsValue | undefined {
    return this.known.get(node) ?? this.parent?.recall(node);
  }

  remember(node: TypedExpression, value: JsValue): void {
    this.known.set(node, value);
  }

  /** The value under a name of its own, unless it is cheap to read as it is. */
  bind(value: JsValue, hint: string): JsValue {
    const { digits } = value;
    if (isCheap(digits ?? value.value)) return value;
    const name = this.fresh(hint);
    this.statement(`const ${name} = ${filledCode(value, value.isNull)};`);
    return digits === undefined ? { ...value, value: name } : valueOfDigits(value, name);
  }
}
