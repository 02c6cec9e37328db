/**
 * One generated function in the making: its identifiers, the constants bound to it, what is read once at its
 * start and written back at its end, and its body. Callers: the chain compiler and its fragments. Runs on:
 * worker, when a chain is compiled. Invariant: no two identifiers of a function are equal, and nothing but
 * identifiers made here reaches the code unquoted.
 */
import { compileFunction } from 'node:vm';
import { CodeBlock } from './code-block.js';
import type { CodeContext } from './code-value.js';

/** Words that are no identifiers, or that generated code uses for itself. */
const TAKEN: readonly string[] = [
  'await break case catch class const continue debugger default delete do else enum eval',
  'export extends false finally for function if implements import in instanceof interface let',
  'new null package private protected public return static super switch this throw true try',
  'typeof var void while with yield arguments undefined NaN Infinity Object Math Number',
  'BigInt Array Date String Boolean Symbol Error Map Set JSON Int32Array Float64Array',
  'Uint8Array constants batch from to row end stop error list index record time kind',
  'key entry',
].flatMap((words) => words.split(' '));

/** A function that is being generated. */
export class CodeUnit {
  /** The statements of the function between its hoisted reads and its write-backs. */
  readonly body = new CodeBlock(1);
  readonly #hoists = new CodeBlock(1);
  readonly #ends = new CodeBlock(1);
  readonly #names = new Set(TAKEN);
  readonly #known = new Map<string, string>();
  readonly #constants = new Map<unknown, string>();

  /** An identifier that nothing else in the function has, resembling `hint`. */
  fresh(hint: string): string {
    const plain = hint.replaceAll(/[^A-Za-z0-9_$]/g, '_');
    const base = /^[A-Za-z_$]/.test(plain) ? plain : `_${plain}`;
    let name = base;
    for (let count = 2; this.#names.has(name); count++) name = `${base}_${count}`;
    this.#names.add(name);
    return name;
  }

  /** Binds a JavaScript value; the same value gives the same identifier. */
  constant(value: unknown, hint: string): string {
    const known = this.#constants.get(value);
    if (known !== undefined) return known;
    const name = this.fresh(hint);
    this.#constants.set(value, name);
    return name;
  }

  /** Binds what `make` makes anew, once for a key. */
  once(key: string, make: () => unknown, hint: string): string {
    return this.#named(key, hint, (name) => this.#constants.set(make(), name));
  }

  /** A local that is set once at the start of the function; the same expression gives the same local. */
  hoist(expression: string, hint: string): string {
    return this.#named(expression, hint, (name) =>
      this.#hoists.line(`const ${name} = ${expression};`),
    );
  }

  /**
   * A local that is read at the start of the function, changed in it, and written back at its end. `read` is how
   * it is read, where that is not the plain expression.
   */
  register(expression: string, hint: string, read = expression): string {
    return this.#named(expression, hint, (name) => {
      this.#hoists.line(`let ${name} = ${read};`);
      this.#ends.line(`${expression} = ${name};`);
    });
  }

  /** A local that counts from 0 on and is taken off `expression` at the end of the function. */
  tally(expression: string, hint: string): string {
    return this.#named(`-= ${expression}`, hint, (name) => {
      this.#hoists.line(`let ${name} = 0;`);
      this.#ends.line(`${expression} -= ${name};`);
    });
  }

  /** The identifier of a key, which is declared the first time. */
  #named(key: string, hint: string, declare: (name: string) => void): string {
    let name = this.#known.get(key);
    if (name === undefined) {
      name = this.fresh(hint);
      this.#known.set(key, name);
      declare(name);
    }
    return name;
  }

  /** A statement at the start of the function, after the reads hoisted so far. */
  atStart(statement: string): void {
    this.#hoists.line(statement);
  }

  /** A statement at the end of the function. */
  atEnd(statement: string): void {
    this.#ends.line(statement);
  }

  /** The place at the end of `block`, as the expression compiler sees it. */
  at(block: CodeBlock): CodeContext {
    return {
      constant: (value, hint) => this.constant(value, hint),
      fresh: (hint) => this.fresh(hint),
      once: (key, make, hint) => this.once(key, make, hint),
      hoist: (expression, hint) => this.hoist(expression, hint),
      statement: (code) => block.line(code),
      local: (key, name, code) => block.local(key, name, code),
      localOf: (key) => block.localOf(key),
    };
  }

  /** The text of the factory: binds the constants and returns the function. */
  print(name: string, parameters: string, result: string): string {
    const bound = [...this.#constants.values()].join(', ');
    const parts = [
      `'use strict';`,
      ...(bound === '' ? [] : [`const { ${bound} } = constants;`]),
      `return function ${name}(${parameters}) {`,
      this.#hoists.print(),
      this.body.print(),
      this.#ends.print(),
      `  return ${result};`,
      '};',
    ];
    return parts.filter((part) => part !== '').join('\n');
  }

  /** Compiles `code`, as printed, into the function. `filename` is what stack traces show. */
  compile(code: string, filename: string): unknown {
    const constants: Record<string, unknown> = Object.create(null);
    for (const [value, name] of this.#constants) constants[name] = value;
    return compileFunction(code, ['constants'], { filename })(constants);
  }
}
