/**
 * Tells from its source text whether a user function is over in a moment whatever record it is given: it only picks
 * fields, calculates and builds a record. Callers: the chain compiler, which then need not tell the watchdog that the
 * function runs. Runs on: worker, when a chain is compiled; pure. Invariant: a function with a loop or a call is
 * never brief.
 */
import { functionSource, parseFunction } from './lambda-fields.js';
import type { UserFunction } from './operator-spec.js';

/** A node of the syntax of a function. */
interface SyntaxNode {
  readonly type: string;
}

/** Syntax that neither repeats nor calls anything, as long as all within it is of these kinds too. */
const BRIEF: ReadonlySet<string> = new Set([
  'ArrayExpression',
  'BinaryExpression',
  'BlockStatement',
  'ChainExpression',
  'ConditionalExpression',
  'ExpressionStatement',
  'Identifier',
  'IfStatement',
  'Literal',
  'LogicalExpression',
  'MemberExpression',
  'ObjectExpression',
  'ObjectPattern',
  'Property',
  'ReturnStatement',
  'TemplateElement',
  'TemplateLiteral',
  'UnaryExpression',
  'VariableDeclaration',
  'VariableDeclarator',
]);

/** Whether `fn` cannot run for long. */
export function isBrief(fn: UserFunction): boolean {
  const node = parseFunction(functionSource(fn));
  return node !== null && [...node.params, node.body].every(isBriefNode);
}

function isBriefNode(node: SyntaxNode): boolean {
  return BRIEF.has(node.type) && Object.values(node).flat().filter(isNode).every(isBriefNode);
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
}
