/**
 * Which conditions are cheaper without a branch. Where a `where` compares numbers, and what stands behind it is a
 * little arithmetic on the way to one output, every row is computed and written, and only those that pass are
 * counted: a branch that is mispredicted costs more than all of that. Callers: the fragment of `where`. Runs on:
 * worker, when a chain is compiled; pure. Invariant: what runs for rows that do not pass cannot throw and has no
 * effect.
 */
import { MillraceError } from '../../base/errors.js';
import type { Field, Schema } from '../../record/schema.js';
import type { ChainCode } from '../chain-code.js';
import type { Expression } from '../expression.js';
import { typeExpression } from '../expression-type.js';
import type { TypedExpression } from '../expression-typed.js';
import { outputSchema } from './output.js';
import { isNumberType } from '../key-code.js';

/** Operations and writes behind the condition; about as many as take the time of one mispredicted branch. */
const STEPS_MAX = 24;
/** Steps of what cannot do without a branch. */
const NEVER = Number.POSITIVE_INFINITY;
/** Arithmetic that is one instruction. */
const OPERATIONS: ReadonlySet<string> = new Set(['add', 'sub', 'mul', 'div', 'neg']);

/**
 * The comparisons that a row has to pass, when they, and all that stands behind operator `index`, can do without a
 * branch; else null.
 */
export function straightComparisons(
  code: ChainCode,
  index: number,
  predicate: Expression,
  schema: Schema | null,
): readonly Expression[] | null {
  // Outside of the loop over rows every row that is written has to be counted at once.
  if (code.room === null || schema === null) return null;
  const comparisons = comparisonsOf(typed(predicate, schema));
  if (comparisons.some((each) => comparisonSteps(each) === NEVER)) return null;
  if (stepsBehind(code, index, schema) > STEPS_MAX) return null;
  return comparisons.map(({ source }) => source);
}

function typed(expression: Expression, { fields }: Schema): TypedExpression {
  return typeExpression(expression, {
    names: () => fields.map((field) => field.name),
    slot: (name) => {
      const field = fields.find((each) => each.name === name);
      if (field === undefined) return null;
      return { type: field.type, nullable: field.nullable || field.optional };
    },
  });
}

/** The parts of a conjunction. */
function comparisonsOf(node: TypedExpression): readonly TypedExpression[] {
  const isAll = node.node === 'call' && node.fn.name === 'and';
  return isAll ? node.args.flatMap(comparisonsOf) : [node];
}

function comparisonSteps(node: TypedExpression): number {
  if (node.node !== 'call' || node.fn.typing !== 'comparison') return NEVER;
  return sum(node.args, arithmeticSteps) + 1;
}

/** Steps of arithmetic on numbers that are never null. */
function arithmeticSteps(node: TypedExpression): number {
  if (node.slot.nullable || !isNumberType(node.slot.type)) return NEVER;
  if (node.node === 'column' || node.node === 'literal') return 0;
  if (node.node === 'convert') return arithmeticSteps(node.arg);
  if (node.node !== 'call' || !OPERATIONS.has(node.fn.name)) return NEVER;
  return sum(node.args, arithmeticSteps) + 1;
}

/** Steps of everything behind an operator whose rows have `schema`. */
function stepsBehind(code: ChainCode, index: number, schema: Schema): number {
  const { tree } = code.run;
  const outputs = tree.outputsAfter(index);
  const children = tree.childrenOf(index);
  // Several consumers share a row, and the one that is not straight would need the branch after all.
  if (outputs.length + children.length !== 1) return NEVER;
  const [child] = children;
  return child === undefined
    ? outputSteps(code, outputs[0], schema)
    : operatorSteps(code, child, schema);
}

function operatorSteps(code: ChainCode, index: number, schema: Schema): number {
  const { spec } = code.run.tree.operators[index];
  try {
    if (spec.kind === 'where') {
      const own = sum(comparisonsOf(typed(spec.predicate, schema)), comparisonSteps);
      return own + stepsBehind(code, index, schema);
    }
    const result = code.schemas.get(index) ?? null;
    if (spec.kind !== 'select' || result === null) return NEVER;
    const own = sum(spec.columns, ({ value }) =>
      value.node === 'column' ? 0 : arithmeticSteps(typed(value, schema)),
    );
    return own + stepsBehind(code, index, result);
  } catch (error) {
    // What the user got wrong comes out here; the operator it belongs to is named.
    throw MillraceError.is(error) ? code.run.errors.failed(error, index, -1) : error;
  }
}

/** Steps of writing a row of numbers. */
function outputSteps(code: ChainCode, index: number, schema: Schema): number {
  const { output, builders, schema: written } = code.run.outputs[index];
  const leaving = outputSchema(schema, output.columns);
  if (builders.length !== 1 || written === null || written.shape !== leaving.shape) return NEVER;
  const fields = [...written.fields, ...leaving.fields];
  return fields.every(isPlainNumber) ? written.fields.length : NEVER;
}

function isPlainNumber({ type, nullable, optional }: Field): boolean {
  return isNumberType(type) && !nullable && !optional;
}

function sum<T>(parts: readonly T[], steps: (part: T) => number): number {
  return parts.reduce((total, part) => total + steps(part), 0);
}
