/**
 * The shape of a chain: which operators and outputs consume which, and whose records somebody looks into. Callers:
 * the chain compiler. Runs on: worker; pure.
 */
import { assert } from '../base/assert.js';
import type { ChainOperator, ChainOutput } from './chain-options.js';

/** Index of the chain's input. */
export const CHAIN_INPUT = -1;

/** A chain's operators and outputs as a tree. */
export class ChainTree {
  readonly operators: readonly ChainOperator[];
  readonly #children: readonly (readonly number[])[];
  readonly #sideOutputs: readonly (readonly number[])[];
  readonly #outputs: readonly (readonly number[])[];
  readonly #needsFields: readonly boolean[];

  constructor(operators: readonly ChainOperator[], outputs: readonly ChainOutput[]) {
    this.operators = operators;
    const children: number[][] = Array.from({ length: operators.length + 1 }, () => []);
    const sideOutputs: number[][] = operators.map(() => []);
    const taps: number[][] = Array.from({ length: operators.length + 1 }, () => []);
    operators.forEach(({ input, spec }, index) => {
      assert(input >= CHAIN_INPUT && input < index, 'An operator stands behind its input.');
      // What a function gives to a tag is not among its results.
      if (spec.kind === 'sideOutput') sideOutputs[input].push(index);
      else children[input + 1].push(index);
    });
    outputs.forEach(({ after }, index) => {
      assert(after >= CHAIN_INPUT && after < operators.length, 'An output leaves an operator.');
      taps[after + 1].push(index);
    });
    this.#children = children;
    this.#outputs = taps;
    this.#sideOutputs = sideOutputs;
    const needsFields: boolean[] = [];
    for (let index = operators.length - 1; index >= 0; index--) {
      needsFields[index] =
        taps[index + 1].length > 0 ||
        children[index + 1].some((child) => looksInto(operators[child], needsFields[child]));
    }
    this.#needsFields = needsFields;
  }

  /** Operators that consume the records of an operator. */
  childrenOf(index: number): readonly number[] {
    return this.#children[index + 1];
  }

  /** The side outputs of an operator. */
  sideOutputsOf(index: number): readonly number[] {
    return this.#sideOutputs[index];
  }

  /** Outputs by which the records of an operator leave. */
  outputsAfter(index: number): readonly number[] {
    return this.#outputs[index + 1];
  }

  /** Whether somebody needs the fields of an operator's records rather than the objects. */
  needsFields(index: number): boolean {
    return this.#needsFields[index];
  }
}

/**
 * Whether an operator needs the fields of its input. Functions take the object as it is, except process functions: they
 * are opened for the schema of their records.
 */
function looksInto({ spec }: ChainOperator, isLookedInto: boolean): boolean {
  switch (spec.kind) {
    case 'map':
    case 'flatMap':
    case 'asyncWait':
    case 'sideOutput':
      return false;
    case 'filter':
      return isLookedInto;
    case 'assignTimestamps':
      return isLookedInto || spec.timestamp.from === 'expression';
    default:
      return true;
  }
}
