/**
 * Loads what chains consist of beside what every chain has: a thread compiles what it loads, and many chains have no
 * state, or no sort, or no expression. Callers: the slot builder, `explain-code.ts`. Runs on: the slot's thread.
 */
import type { ChainParts } from '../operator/chain-parts.js';
import { isStateful, type OperatorSpec } from '../operator/operator-spec.js';

/** Loads what a chain of these operators consists of. */
export async function loadChainParts(operators: readonly OperatorSpec[]): Promise<ChainParts> {
  return {
    computing: operators.some(isComputing) ? await import('../operator/computing.js') : null,
    stateful: operators.some(isStateful) ? await import('../operator/stateful.js') : null,
    sorting: operators.some(isSort) ? await import('../operator/sorting.js') : null,
  };
}

function isComputing({ kind }: OperatorSpec): boolean {
  return kind === 'where' || kind === 'select' || kind === 'assignTimestamps';
}

function isSort({ kind }: OperatorSpec): boolean {
  return kind === 'sort';
}
