/**
 * Operators with two inputs that mean different things: their sides. A union is many inputs of one side. Callers:
 * graph, the chain compiler. Runs on: any thread; pure.
 */
import type { OperatorSpec } from './operator-spec.js';

/** The first or second input of an operator. */
export type InputSide = 0 | 1;

/** How many sides an operator has. */
export function sidesOf(spec: OperatorSpec): 1 | 2 {
  if (spec.kind === 'join') return 2;
  return spec.kind === 'process' && spec.keys.length === 2 ? 2 : 1;
}

/** Key fields of a side of an operator; null when it is not keyed there. */
export function keysOfSide(spec: OperatorSpec, side: InputSide): readonly string[] | null {
  if (spec.kind === 'process' || spec.kind === 'join') return spec.keys[side] ?? null;
  return 'keys' in spec ? spec.keys : null;
}
