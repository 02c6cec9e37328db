/**
 * The syntax of a user function. The parser acorn takes some milliseconds to load, so it is loaded when a function has
 * to be read that says more than a glance can take in, and for which no other thread has sent what it found. Callers:
 * what reads functions. Runs on: any thread; pure.
 */
import { createRequire } from 'node:module';
import type * as Acorn from 'acorn';
import type { AnyNode, ArrowFunctionExpression, FunctionExpression } from 'acorn';

export type FunctionNode = FunctionExpression | ArrowFunctionExpression;

/** A method is parsed inside what makes it one: an object, or a class where it uses `super` or privates. */
const WRAPPINGS: readonly {
  readonly before: string;
  readonly after: string;
  find(node: AnyNode): AnyNode | undefined;
}[] = [
  { before: '(', after: '\n)', find: (node) => node },
  {
    before: '({',
    after: '\n})',
    find: (node) =>
      node.type === 'ObjectExpression' && node.properties[0]?.type === 'Property'
        ? node.properties[0].value
        : undefined,
  },
  {
    before: '(class extends Object {',
    after: '\n})',
    find: (node) =>
      node.type === 'ClassExpression' && node.body.body[0]?.type === 'MethodDefinition'
        ? node.body.body[0].value
        : undefined,
  },
];

/** The syntax of a function; null when it has none that can be told. */
export function parseFunction(source: string): FunctionNode | null {
  for (const { before, after, find } of WRAPPINGS) {
    const statement = parseStatement(`${before}${source}${after}`);
    const node = statement?.type === 'ExpressionStatement' ? find(statement.expression) : undefined;
    if (node?.type === 'ArrowFunctionExpression' || node?.type === 'FunctionExpression')
      return node;
  }
  return null;
}

let acorn: typeof Acorn | null = null;

/** The parser. Planning is synchronous, so it cannot be awaited. */
function parser(): typeof Acorn {
  acorn ??= createRequire(import.meta.url)('acorn') as typeof Acorn;
  return acorn;
}

/** The only statement of a text, null when there are more or it is no JavaScript. */
function parseStatement(text: string): AnyNode | null {
  try {
    const { body } = parser().parse(text, {
      ecmaVersion: 'latest',
      sourceType: 'module',
      checkPrivateFields: false,
    });
    return body.length === 1 ? body[0] : null;
  } catch {
    // Native and bound functions print as something that is no JavaScript: nothing can be told of them.
    return null;
  }
}
