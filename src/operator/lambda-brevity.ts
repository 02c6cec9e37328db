/**
 * Tells from its source text whether a user function is over in a moment whatever record it is given: it only picks
 * fields, calculates and builds a record. Callers: the chain compiler, which then need not tell the watchdog that the
 * function runs; the runtime, which tells the slots, so that they need no parser. Runs on: any thread; pure but for
 * what it has learned. Invariant: a function with a loop or a call is never brief.
 */
import { functionSource } from './lambda-fields.js';
import { glance } from './lambda-glance.js';
import { parseFunction } from './lambda-fields-parser.js';
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

/** What was told of a function's text, for another thread that meets the same text. Plain data. */
export interface BrevityReading {
  readonly source: string;
  readonly isBrief: boolean;
}

/** What another thread has told, by text. */
const learned = new Map<string, boolean>();

/** Whether `fn` cannot run for long. */
export function isBrief(fn: UserFunction): boolean {
  const source = functionSource(fn);
  return learned.get(source) ?? isBriefSource(source);
}

/** What there is to tell of these functions. */
export function brevityOf(functions: Iterable<UserFunction>): readonly BrevityReading[] {
  const sources = new Set([...functions].map(functionSource));
  return [...sources].map((source) => {
    return { source, isBrief: learned.get(source) ?? isBriefSource(source) };
  });
}

/** Takes over what another thread found, so that these functions need not be parsed here. */
export function learnBrevity(readings: readonly BrevityReading[]): void {
  for (const { source, isBrief: found } of readings) learned.set(source, found);
}

function isBriefSource(source: string): boolean {
  return glance(source) !== null || isParsedBrief(source);
}

/** What the parser tells, for functions of any form. */
export function isParsedBrief(source: string): boolean {
  const node = parseFunction(source);
  return node !== null && [...node.params, node.body].every(isBriefNode);
}

function isBriefNode(node: SyntaxNode): boolean {
  return BRIEF.has(node.type) && Object.values(node).flat().filter(isNode).every(isBriefNode);
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
}
