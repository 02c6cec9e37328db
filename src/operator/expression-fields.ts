/**
 * Which fields an expression reads. Callers: column pruning in the graph, the api's checks. Runs on: any
 * thread; pure.
 */
import { type FieldPath, type FieldTree, treeAt, unionOf } from '../record/field-tree.js';
import type { Expression } from './expression.js';

/** Functions that only look whether there is a value. */
const PRESENCE = new Set(['isNull', 'isNotNull']);
const NOTHING_OF: FieldTree = new Map();

/**
 * The fields that an expression reads, those within objects too, in order of first appearance. Of its value only
 * `below` is in use; null for all.
 */
export function expressionFields(expression: Expression, below: FieldTree = null): FieldTree {
  const path = pathOf(expression);
  if (path !== null) return treeAt(path, below);
  const isLooked = expression.node === 'call' && PRESENCE.has(expression.fn);
  return partsOf(expression)
    .map((part) => expressionFields(part, isLooked ? NOTHING_OF : null))
    .reduce(unionOf, new Map());
}

/** Where the field is that an expression only names, or null when it does more. */
function pathOf(expression: Expression): FieldPath | null {
  if (expression.node === 'column') return [expression.name];
  if (expression.node !== 'call' || expression.fn !== 'get') return null;
  const [object, name] = expression.args;
  const path = object === undefined ? null : pathOf(object);
  if (path === null || name?.node !== 'literal' || typeof name.value !== 'string') return null;
  return [...path, name.value];
}

function partsOf(expression: Expression): readonly Expression[] {
  switch (expression.node) {
    case 'column':
    case 'literal':
      return [];
    case 'call':
      return expression.args;
    case 'case': {
      const { branches, otherwise } = expression;
      const parts = branches.flatMap(({ when, then }) => [when, then]);
      return otherwise === null ? parts : [...parts, otherwise];
    }
  }
}
