/**
 * Which fields an expression reads. Callers: column pruning in the graph, the api's checks. Runs on: any
 * thread; pure.
 */
import type { Expression } from './expression.js';

/** Names of the fields that an expression reads, in order of first appearance. */
export function expressionColumns(expression: Expression): Set<string> {
  const names = new Set<string>();
  collect(expression, names);
  return names;
}

function collect(expression: Expression, names: Set<string>): void {
  switch (expression.node) {
    case 'column':
      names.add(expression.name);
      return;
    case 'literal':
      return;
    case 'call':
      for (const arg of expression.args) collect(arg, names);
      return;
    case 'case':
      for (const branch of expression.branches) {
        collect(branch.when, names);
        collect(branch.then, names);
      }
      if (expression.otherwise !== null) collect(expression.otherwise, names);
  }
}
