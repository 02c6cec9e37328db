/**
 * Reads which fields of a parameter a user function can touch, down into the objects that it holds, from its source
 * text, so that readers and edges carry only those. Callers: column pruning, job hashes, the chain compiler. Runs on:
 * any thread; pure but for what it has learned.
 *
 * Invariant: the answer is never too small. Whatever is not plainly `parameter.name` (spreading, passing the
 * record on, calling its methods, `arguments`, `eval`, code that cannot be parsed) gives null, which means
 * everything. The names mean something only for records that are objects or tuples.
 */
import { type FieldTree, treeAt, unionOf } from '../record/field-tree.js';
import { glance, type PlainLambda } from './lambda-glance.js';
import { parseFunction } from './lambda-fields-parser.js';
import { isOwnField, usesIn } from './lambda-fields-uses.js';
import type { UserFunction } from './operator-spec.js';

/** What has been told of functions: the graph and the compiler ask for the same ones again. */
const answers = new WeakMap<UserFunction, Map<number, FieldTree>>();

/** What was told of a function's text, for another thread that meets the same text. Plain data. */
export interface LambdaReading {
  readonly source: string;
  readonly position: number;
  readonly fields: FieldTree;
}

/** What other threads have told, by position and text. */
const learned = new Map<string, FieldTree>();

/** What this thread was asked about these functions so far. */
export function readingsOf(functions: Iterable<UserFunction>): readonly LambdaReading[] {
  return [...functions].flatMap((fn) =>
    [...(answers.get(fn) ?? [])].map(([position, fields]) => {
      return { source: functionSource(fn), position, fields };
    }),
  );
}

/** Takes over what another thread found, so that these functions need not be parsed here. */
export function learnReadings(readings: readonly LambdaReading[]): void {
  for (const { source, position, fields } of readings) {
    learned.set(learnedKey(source, position), fields);
  }
}

function learnedKey(source: string, position: number): string {
  return `${position} ${source}`;
}

/** Source text of a function, as it was written; part of the hash of a job. */
export function functionSource(fn: UserFunction): string {
  return Function.prototype.toString.call(fn);
}

/**
 * What a function can touch of its parameter at `position`, in order of first use; null when that cannot be told, so
 * that it may touch all.
 *
 * @example
 * usedTree((event) => event.bid.price > 15 && event.origin); // { bid: { price }, origin }
 */
export function usedTree(fn: UserFunction, position = 0): FieldTree {
  const known = answers.get(fn) ?? new Map<number, FieldTree>();
  answers.set(fn, known);
  let fields = known.get(position);
  if (fields === undefined) {
    const source = functionSource(fn);
    fields = learned.get(learnedKey(source, position));
    if (fields === undefined) fields = usedTreeInSource(source, position);
    known.set(position, fields);
  }
  return fields;
}

/** The names of the fields of the parameter itself; null for all. */
export function usedFields(fn: UserFunction, position = 0): readonly string[] | null {
  const tree = usedTree(fn, position);
  return tree === null ? null : [...tree.keys()];
}

/** What there is to tell for the source text of a function. */
export function usedTreeInSource(source: string, position = 0): FieldTree {
  const plain = glance(source);
  return plain === null ? parsedTree(source, position) : plainTree(plain, position);
}

function plainTree({ parameter, variables }: PlainLambda, position: number): FieldTree {
  if (position > 0) return new Map();
  return variables
    .filter(([name]) => name === parameter)
    .map(([, ...path]) => {
      const end = path.findIndex((name) => !isOwnField(name));
      return treeAt(end < 0 ? path : path.slice(0, end));
    })
    .reduce(unionOf, new Map());
}

/** What the parser tells, for functions of any form. */
export function parsedTree(source: string, position = 0): FieldTree {
  const node = parseFunction(source);
  return node === null ? null : usesIn(node, position);
}
