/**
 * Reads which properties of a parameter a user function can touch, from its source text, so that readers and
 * edges carry only those. Callers: column pruning, job hashes, the chain compiler. The parser acorn takes some
 * milliseconds to load, so it is loaded when a function has to be read that says more than a glance can take in, and
 * for which no other thread has sent what it found. Runs on: any thread; pure.
 *
 * Invariant: the answer is never too small. Whatever is not plainly `parameter.name` (spreading, passing the
 * record on, calling its methods, `arguments`, `eval`, code that cannot be parsed) gives null, which means
 * everything. The names mean something only for records that are objects or tuples.
 */
import { createRequire } from 'node:module';
import type * as Acorn from 'acorn';
import type { AnyNode, ArrowFunctionExpression, FunctionExpression, Pattern } from 'acorn';
import { glance, type PlainLambda } from './lambda-glance.js';
import type { UserFunction } from './operator-spec.js';

type FunctionNode = FunctionExpression | ArrowFunctionExpression;

/** What has been told of functions: the graph and the compiler ask for the same ones again. */
const answers = new WeakMap<UserFunction, Map<number, readonly string[] | null>>();

/** What was told of a function's text, for another thread that meets the same text. Plain data. */
export interface LambdaReading {
  readonly source: string;
  readonly position: number;
  readonly fields: readonly string[] | null;
}

/** What other threads have told, by position and text. */
const learned = new Map<string, readonly string[] | null>();

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
 * Names of the properties that a function can touch of its parameter at `position`, in order of first use; null
 * when that cannot be told, so that it may touch all.
 *
 * @example
 * usedFields((flight) => flight.delay > 15 && flight.origin); // ['delay', 'origin']
 */
export function usedFields(fn: UserFunction, position = 0): readonly string[] | null {
  const known = answers.get(fn) ?? new Map<number, readonly string[] | null>();
  answers.set(fn, known);
  let fields = known.get(position);
  if (fields === undefined) {
    const source = functionSource(fn);
    const key = learnedKey(source, position);
    fields = learned.get(key);
    if (fields === undefined) fields = usedFieldsInSource(source, position);
    known.set(position, fields);
  }
  return fields;
}

/** The same for the source text of a function. */
export function usedFieldsInSource(source: string, position = 0): readonly string[] | null {
  const plain = glance(source);
  return plain === null ? parsedFields(source, position) : plainFields(plain, position);
}

function plainFields(
  { parameter, variables }: PlainLambda,
  position: number,
): readonly string[] | null {
  if (position > 0) return [];
  const names = variables.filter(([name]) => name === parameter).map(([, property]) => property);
  const isPlain = (name: string | undefined): name is string =>
    name !== undefined && !WHOLE.has(name);
  return names.every(isPlain) ? [...new Set(names)] : null;
}

/** What the parser tells, for functions of any form. */
export function parsedFields(source: string, position = 0): readonly string[] | null {
  const node = parseFunction(source);
  // `arguments` and `eval` reach the record without its name, and `with` changes what names mean.
  if (node === null || some(node, isOpaque)) return null;
  const uses = new FieldUses();
  return uses.inFunction(node, position) ? [...uses.names] : null;
}

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

function isOpaque(node: AnyNode): boolean {
  if (node.type === 'Identifier') return node.name === 'arguments' || node.name === 'eval';
  return node.type === 'WithStatement';
}

/** Properties that look at the whole record, or that every object has. */
const WHOLE: ReadonlySet<string> = new Set([
  'length',
  ...Object.getOwnPropertyNames(Object.prototype),
]);

/** Collects names. Every method answers whether all uses it has seen are understood. */
class FieldUses {
  readonly names = new Set<string>();

  inFunction(fn: FunctionNode, position: number): boolean {
    const parameter = fn.params[position];
    if (parameter === undefined) return !fn.params.some((each) => each.type === 'RestElement');
    const target = parameter.type === 'AssignmentPattern' ? parameter.left : parameter;
    if (target.type === 'ObjectPattern') return this.inPattern(target);
    if (target.type !== 'Identifier') return false;
    const others = fn.params.filter((each) => each !== parameter);
    return [...others, fn.body].every((part) => this.inNode(part, target.name));
  }

  /** Takes the keys of an object pattern; what they are bound to may be anything. */
  private inPattern(pattern: Pattern): boolean {
    if (pattern.type !== 'ObjectPattern') return false;
    return pattern.properties.every((property) => {
      if (property.type === 'RestElement') return false;
      return this.take(propertyName(property.key, property.computed));
    });
  }

  private take(name: string | null): boolean {
    if (name === null || WHOLE.has(name)) return false;
    this.names.add(name);
    return true;
  }

  /** Looks at all uses of the variable `name` in a node where it still is the record. */
  private inNode(node: AnyNode, name: string): boolean {
    if (node.type === 'Identifier') return node.name !== name;
    if (node.type === 'MemberExpression' && isVariable(node.object, name)) {
      return this.take(propertyName(node.property, node.computed));
    }
    // A method of the record is given the whole record as `this`.
    const callee = calleeOf(node);
    if (callee?.type === 'MemberExpression' && isVariable(callee.object, name)) return false;
    if (node.type === 'VariableDeclarator' && node.init != null && isVariable(node.init, name)) {
      const { id } = node;
      return this.inPattern(id) && children(id).every((child) => this.inNode(child, name));
    }
    return visibleParts(node, name).every((part) => this.inNode(part, name));
  }
}

function isVariable(node: AnyNode, name: string): boolean {
  return node.type === 'Identifier' && node.name === name;
}

function calleeOf(node: AnyNode): AnyNode | null {
  if (node.type === 'CallExpression') return node.callee;
  return node.type === 'TaggedTemplateExpression' ? node.tag : null;
}

/** The name of a property as far as the text tells it, else null. */
function propertyName(key: AnyNode, computed: boolean): string | null {
  if (key.type === 'Identifier') return computed ? null : key.name;
  if (key.type !== 'Literal') return null;
  return typeof key.value === 'string' || typeof key.value === 'number' ? String(key.value) : null;
}

/** The parts of a node in which the variable `name` is that of the surroundings, not one declared inside. */
function visibleParts(node: AnyNode, name: string): readonly AnyNode[] {
  switch (node.type) {
    case 'FunctionExpression':
    case 'FunctionDeclaration':
    case 'ArrowFunctionExpression': {
      if (node.params.some((each) => binds(each, name))) return [];
      if (node.type === 'FunctionExpression' && node.id?.name === name) return [];
      return declaresVar(node.body, name) ? node.params : [...node.params, node.body];
    }
    case 'ClassExpression':
      return node.id?.name === name ? [] : children(node);
    case 'StaticBlock':
      // The only block that keeps its `var` to itself.
      return node.body.some((each) => declares(each, name) || declaresVar(each, name))
        ? []
        : node.body;
    case 'BlockStatement':
      return node.body.some((each) => declares(each, name)) ? [] : node.body;
    case 'SwitchStatement': {
      const isHidden = node.cases.some(({ consequent }) =>
        consequent.some((each) => declares(each, name)),
      );
      return isHidden ? [node.discriminant] : children(node);
    }
    case 'ForStatement':
      return node.init != null && declares(node.init, name) ? [] : children(node);
    case 'ForInStatement':
    case 'ForOfStatement':
      return declares(node.left, name) ? [] : children(node);
    case 'CatchClause':
      return node.param != null && binds(node.param, name) ? [] : children(node);
    default:
      return children(node);
  }
}

/** Whether a statement declares a name for the block it stands in. `var` belongs to the function. */
function declares(node: AnyNode, name: string): boolean {
  switch (node.type) {
    case 'VariableDeclaration':
      return node.kind !== 'var' && node.declarations.some(({ id }) => binds(id, name));
    case 'FunctionDeclaration':
    case 'ClassDeclaration':
      return node.id?.name === name;
    default:
      return false;
  }
}

/** Whether a function body declares a name with `var`, in nested blocks too. */
function declaresVar(node: AnyNode, name: string): boolean {
  if (isFunction(node) || node.type === 'StaticBlock') return false;
  if (node.type === 'VariableDeclaration' && node.kind === 'var') {
    return node.declarations.some(
      ({ id, init }) => binds(id, name) || (init != null && declaresVar(init, name)),
    );
  }
  return children(node).some((child) => declaresVar(child, name));
}

function isFunction(node: AnyNode): boolean {
  return /Function/.test(node.type);
}

/** Whether a pattern binds a name. */
function binds(pattern: Pattern, name: string): boolean {
  switch (pattern.type) {
    case 'Identifier':
      return pattern.name === name;
    case 'ObjectPattern':
      return pattern.properties.some((property) =>
        binds(property.type === 'RestElement' ? property.argument : property.value, name),
      );
    case 'ArrayPattern':
      return pattern.elements.some((element) => element !== null && binds(element, name));
    case 'RestElement':
      return binds(pattern.argument, name);
    case 'AssignmentPattern':
      return binds(pattern.left, name);
    default:
      return false;
  }
}

/** The nodes within a node, without names that are no variables: properties, keys, labels. */
function children(node: AnyNode): readonly AnyNode[] {
  const isKey = (key: string): boolean =>
    (key === 'property' && node.type === 'MemberExpression' && !node.computed) ||
    (key === 'key' && 'computed' in node && !node.computed) ||
    (key === 'meta' && node.type === 'MetaProperty') ||
    (key === 'property' && node.type === 'MetaProperty') ||
    key === 'label';
  return Object.entries(node)
    .filter(([key]) => !isKey(key))
    .flatMap(([, value]) => value)
    .filter(isNode);
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
}

/** Whether a node or one within it is such a node; names that are no variables count too. */
function some(node: AnyNode, test: (node: AnyNode) => boolean): boolean {
  return (
    test(node) ||
    Object.values(node)
      .flat()
      .some((value) => isNode(value) && some(value, test))
  );
}
