/**
 * Turns the production source of the ring and the parker into generators that stop before every atomic operation,
 * and behind stores and additions too, so that a test can decide which thread moves next. The text is that of `src/ring`: it is bundled,
 * parsed, every function that reaches an atomic operation becomes a generator, and every call of one is
 * delegated to. Constructors stay as they are: opening is not part of the protocol. Callers: the interleaving
 * test. Runs on: the test's thread.
 */
import { fileURLToPath } from 'node:url';
import { compileFunction } from 'node:vm';
import { type AnyNode, type CallExpression, parse } from 'acorn';
import { buildSync } from 'esbuild';

/** A stepped call: yields before each atomic operation, behind stores and additions, and while it is blocked. */
export type Steps<T> = Generator<Waiter | null, T, void>;

/** A thread inside `Atomics.wait`. */
export interface Waiter {
  readonly words: Int32Array;
  woken: boolean;
}

export interface SteppedWriter {
  readonly memory: Uint8Array;
  claim(bytes: number): Steps<number>;
  commit(kind: number, bytes: number): Steps<void>;
  writeLarge(kind: number, message: Uint8Array): Steps<boolean>;
  announce(payload: Uint8Array): Steps<void>;
}

export interface SteppedReader {
  readonly kind: number;
  readonly memory: Uint8Array;
  readonly offset: number;
  readonly bytes: number;
  poll(): Steps<boolean>;
  release(): Steps<void>;
}

export interface SteppedParker {
  announce(): Steps<number>;
  withdraw(): Steps<void>;
  park(ticket: number, timeoutMs: number): Steps<void>;
}

type SteppedWaker = { wake(): Steps<void> };
type Open<T> = (memory: SharedArrayBuffer, offset: number, bytes: number, waker: SteppedWaker) => T;

/** The exports of the stepped source. */
export interface SteppedModule {
  createRing(
    memory: SharedArrayBuffer,
    offset: number,
    bytes: number,
    options: { firstPosition: number },
  ): void;
  openRingWriter: Open<SteppedWriter>;
  openRingReader: Open<SteppedReader>;
  createParkerWord(memory: SharedArrayBuffer, offset: number): Int32Array;
  wakerFor(word: Int32Array): SteppedWaker;
  BlockingParker: new (word: Int32Array) => SteppedParker;
}

/** What the stepped atomic operations act on besides memory. */
export interface StepWorld {
  /** Results of the operations of the running thread, in order: all it has learnt from the others. */
  log(result: number | string): void;
  /** The running thread's future depends on `state` alone, no longer on what it learnt before. */
  settled(state: string): void;
  readonly waiters: Waiter[];
}

/** A change of the source text, to see that the test notices. */
export interface Mutation {
  readonly from: string;
  readonly to: string;
}

/** The bundled text with mutations; each must match exactly once. */
export function ringSource(mutations: readonly Mutation[] = []): string {
  const directory = fileURLToPath(new URL('../../../src/ring/', import.meta.url));
  const built = buildSync({
    stdin: {
      contents:
        "export * from './make-ring.ts'; export * from './spsc-ring.ts'; export * from './parker.ts';",
      resolveDir: directory,
      loader: 'ts',
    },
    bundle: true,
    write: false,
    format: 'cjs',
    platform: 'node',
    target: 'es2022',
  });
  let text = built.outputFiles[0]?.text ?? '';
  for (const { from, to } of mutations) {
    if (text.split(from).length !== 2) throw new Error(`Not exactly one place reads: ${from}`);
    text = text.replace(from, () => to);
  }
  return text;
}

/** Makes the source stepped, and its private names public, so that `privateState` can see them. */
export function steppedSource(source: string): string {
  const text = source.replaceAll(/#(?=[a-z])/gi, 'private_');
  const functions = findFunctions(text);
  const stepped = reachAtomics(functions);
  const edits: Edit[] = [];
  for (const found of functions) {
    if (!stepped.has(found.name)) continue;
    edits.push({ at: found.starAt, text: '*' });
    for (const call of found.calls) {
      const name = calledName(call);
      if (atomicName(call) !== null) {
        edits.push({ at: call.start, text: '(yield* step.', skip: 'Atomics.'.length });
        edits.push({ at: call.end, text: ')' });
      } else if (name !== null && stepped.has(name)) {
        edits.push({ at: call.start, text: '(yield* ' }, { at: call.end, text: ')' });
      }
    }
  }
  return applyEdits(text, edits);
}

/** Makes stepped source ready to be run in any number of worlds. */
export function steppedModule(source: string): (world: StepWorld) => SteppedModule {
  const run = compileFunction(source, ['module', 'step'], { filename: 'millrace:stepped-ring' });
  return (world) => {
    const module: { exports: unknown } = { exports: {} };
    run(module, steppedAtomics(world));
    return module.exports as SteppedModule;
  };
}

/** The numbers an end of a ring remembers, as text. Its private fields became public in the stepped source. */
export function privateState(end: object): string {
  return Object.values(end)
    .filter((value) => typeof value === 'number' || typeof value === 'boolean')
    .join();
}

type AtomicOperation = (words: Int32Array, index: number, ...rest: number[]) => number;

function steppedAtomics(world: StepWorld): Record<string, unknown> {
  const around = (operate: AtomicOperation) =>
    function* (words: Int32Array, index: number, ...rest: number[]): Steps<number> {
      yield null;
      const result = operate(words, index, ...rest);
      world.log(result);
      return result;
    };
  const andBehind = (operate: AtomicOperation) => {
    const operateStepped = around(operate);
    return function* (words: Int32Array, index: number, ...rest: number[]): Steps<number> {
      const result = yield* operateStepped(words, index, ...rest);
      yield null;
      return result;
    };
  };
  return {
    load: around((words, index) => Atomics.load(words, index)),
    store: andBehind((words, index, value = 0) => Atomics.store(words, index, value)),
    add: andBehind((words, index, value = 0) => Atomics.add(words, index, value)),
    or: around((words, index, value = 0) => Atomics.or(words, index, value)),
    and: around((words, index, value = 0) => Atomics.and(words, index, value)),
    compareExchange: around((words, index, expected = 0, value = 0) =>
      Atomics.compareExchange(words, index, expected, value),
    ),
    notify: around((words) => {
      const due = world.waiters.filter(
        (waiter) => waiter.words === words || sameWord(waiter, words),
      );
      for (const waiter of due) {
        waiter.woken = true;
        world.waiters.splice(world.waiters.indexOf(waiter), 1);
      }
      return 0;
    }),
    *wait(words: Int32Array, index: number, value: number): Steps<string> {
      yield null;
      if (words[index] !== value) {
        world.log('not-equal');
        return 'not-equal';
      }
      const waiter = { words, woken: false };
      world.waiters.push(waiter);
      world.log('waiting');
      while (!waiter.woken) yield waiter;
      world.log('ok');
      return 'ok';
    },
  };
}

function sameWord(waiter: Waiter, words: Int32Array): boolean {
  return waiter.words.buffer === words.buffer && waiter.words.byteOffset === words.byteOffset;
}

interface FoundFunction {
  readonly name: string;
  /** Where the star of a generator goes. */
  readonly starAt: number;
  readonly calls: readonly CallExpression[];
}

/** Named functions and methods; constructors, accessors, asynchronous ones and set-up are left alone. */
const SETUP = new Set(['createRing', 'openHeader']);

function findFunctions(text: string): readonly FoundFunction[] {
  const found: FoundFunction[] = [];
  walk(parse(text, { ecmaVersion: 'latest', sourceType: 'script' }), (node) => {
    if (node.type === 'FunctionDeclaration' && node.id !== null && !SETUP.has(node.id.name)) {
      const starAt = node.start + 'function'.length;
      found.push({ name: node.id.name, starAt, calls: callsIn(node.body) });
    }
    const isMethod =
      (node.type === 'MethodDefinition' && node.kind === 'method') ||
      (node.type === 'Property' && node.method);
    if (!isMethod || node.value.type !== 'FunctionExpression' || node.value.async) return;
    const name = keyName(node.key);
    if (name === null) return;
    found.push({ name, starAt: node.key.start, calls: callsIn(node.value.body) });
  });
  return found;
}

/** Names of the functions from which an atomic operation can be reached. */
function reachAtomics(functions: readonly FoundFunction[]): ReadonlySet<string> {
  const reached = new Set<string>();
  for (;;) {
    const before = reached.size;
    for (const { name, calls } of functions) {
      const reaches = calls.some((call) => {
        const called = calledName(call);
        return atomicName(call) !== null || (called !== null && reached.has(called));
      });
      if (reaches) reached.add(name);
    }
    if (reached.size === before) return new Set([...reached, 'wake']);
  }
}

function callsIn(body: AnyNode): readonly CallExpression[] {
  const calls: CallExpression[] = [];
  walk(body, (node) => {
    if (node.type === 'CallExpression') calls.push(node);
  });
  return calls;
}

function atomicName(call: CallExpression): string | null {
  const { callee } = call;
  if (callee.type !== 'MemberExpression' || callee.object.type !== 'Identifier') return null;
  return callee.object.name === 'Atomics' ? keyName(callee.property) : null;
}

function calledName(call: CallExpression): string | null {
  const { callee } = call;
  if (callee.type === 'Identifier') return callee.name;
  return callee.type === 'MemberExpression' ? keyName(callee.property) : null;
}

function keyName(key: AnyNode): string | null {
  return key.type === 'Identifier' ? key.name : null;
}

function walk(node: AnyNode, visit: (node: AnyNode) => void): void {
  visit(node);
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value])
      if (isNode(child)) walk(child, visit);
  }
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
}

interface Edit {
  readonly at: number;
  readonly text: string;
  readonly skip?: number;
}

/** Inserts texts at their places, in order of place; texts at one place stay in the order given. */
function applyEdits(text: string, edits: readonly Edit[]): string {
  let result = '';
  let from = 0;
  for (const edit of edits.toSorted((a, b) => a.at - b.at)) {
    result += text.slice(from, edit.at) + edit.text;
    from = edit.at + (edit.skip ?? 0);
  }
  return result + text.slice(from);
}
