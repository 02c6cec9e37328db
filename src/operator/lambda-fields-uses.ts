/**
 * What the syntax of a function uses of one of its parameters, down into the objects that it holds: it follows
 * properties (`r.bid.price`), patterns (`({ bid: { price } }) =>`) and variables that are given a part of the record
 * (`const { bid } = r`). Callers: `lambda-fields.ts`. Runs on: any thread; pure.
 *
 * Invariant: the answer is never too small. What is not understood (spreading a value, passing it on, calling its
 * methods) uses the value that it is done to whole.
 */
import type { AnyNode, Identifier, Pattern } from 'acorn';
import { type FieldPath, type FieldTree, treeAt, unionOf } from '../record/field-tree.js';
import type { FunctionNode } from './lambda-fields-parser.js';

const NOTHING_OF: FieldTree = new Map();

/** Properties that look at a whole object, or that every object has. */
const WHOLE: ReadonlySet<string> = new Set([
  'length',
  ...Object.getOwnPropertyNames(Object.prototype),
]);

/** Whether a property of this name is that of a record, which tells nothing of its others. */
export function isOwnField(name: string): boolean {
  return !WHOLE.has(name);
}

/** What a function can touch of its parameter at `position`; null for all of it. */
export function usesIn(fn: FunctionNode, position: number): FieldTree {
  if (isOpaque(fn)) return null;
  const uses = new FieldUses(fn);
  uses.inParameter(position);
  return uses.tree;
}

/** `arguments` and `eval` reach the record without its name; what is parsed as a module has no `with`. */
function isOpaque(node: AnyNode): boolean {
  const isName = node.type === 'Identifier' && /^(?:arguments|eval)$/.test(node.name);
  return isName || children(node).some(isOpaque);
}

/** A variable that holds the record or a part of it. */
interface Holder {
  readonly path: FieldPath;
  readonly name: string;
  /** Where it is declared, which is no use. */
  readonly declared: Identifier;
  readonly isParameter: boolean;
}

/** Collects what is used. */
class FieldUses {
  readonly #fn: FunctionNode;
  readonly #declared = new Set<Identifier>();
  /** Parts that are asked whether they are true. */
  readonly #asked: FieldPath[] = [];
  #tree: FieldTree = new Map();

  constructor(fn: FunctionNode) {
    this.#fn = fn;
  }

  get tree(): FieldTree {
    // An object is as true as another; what is used by no field of it may be a number, which is not.
    const whole = this.#asked.filter((path) => !this.#isObject(path));
    return whole.map((path) => treeAt(path)).reduce(unionOf, this.#tree);
  }

  inParameter(position: number): void {
    const { params } = this.#fn;
    const parameter = params[position];
    if (parameter !== undefined) this.#bind(parameter, [], true);
    else if (params.some(({ type }) => type === 'RestElement')) this.#take([]);
  }

  #take(path: FieldPath, below: FieldTree = null): void {
    this.#tree = unionOf(this.#tree, treeAt(path, below));
  }

  #isObject(path: FieldPath): boolean {
    let tree: FieldTree | undefined = this.#tree;
    for (const name of path) tree = tree?.get(name);
    return tree !== undefined && tree !== null && tree.size > 0;
  }

  /** What a pattern takes out of the value at `path`, and what becomes of it. */
  #bind(pattern: Pattern, path: FieldPath, isParameter: boolean): void {
    switch (pattern.type) {
      case 'AssignmentPattern':
        // Undefined is told from what is there.
        this.#take(path, NOTHING_OF);
        return this.#bind(pattern.left, path, isParameter);
      case 'ObjectPattern':
        // Nothing can be taken out of null.
        this.#take(path, NOTHING_OF);
        for (const property of pattern.properties) {
          const name =
            property.type === 'RestElement' ? null : propertyName(property.key, property.computed);
          if (property.type === 'RestElement' || name === null) this.#take(path);
          else this.#bind(property.value, [...path, name], isParameter);
        }
        return;
      case 'Identifier':
        return this.#follow(pattern, path, isParameter);
      default:
        this.#take(path);
    }
  }

  /** Looks at all uses of a variable. */
  #follow(declared: Identifier, path: FieldPath, isParameter: boolean): void {
    // Variables that are given each other would go on for ever.
    if (this.#declared.has(declared)) return this.#take(path);
    this.#declared.add(declared);
    const holder: Holder = { path, name: declared.name, declared, isParameter };
    this.#inParts(this.#fn, children(this.#fn), holder);
  }

  #inParts(node: AnyNode, parts: readonly AnyNode[], holder: Holder): void {
    for (const part of parts) {
      const path = part === holder.declared ? null : pathOf(part, holder);
      if (path !== null) this.#use(node, part, path);
      else this.#inParts(part, partsOf(part, holder), holder);
    }
  }

  /** What a node does with a part of it that is the value at `path`. */
  #use(node: AnyNode, part: AnyNode, path: FieldPath): void {
    if (isAsked(node, part)) this.#asked.push(path);
    else if (isCompared(node, part)) this.#take(path, NOTHING_OF);
    else if (node.type === 'VariableDeclarator' && part === node.init) {
      this.#bind(node.id, path, false);
    } else this.#take(isCalled(node, part) ? path.slice(0, -1) : path);
  }
}

/** Whether it only matters of a part whether it is true. */
function isAsked(node: AnyNode, part: AnyNode): boolean {
  if (node.type === 'LogicalExpression') return node.operator === '&&' && part === node.left;
  if (node.type === 'UnaryExpression') return node.operator === '!';
  return node.type !== 'SwitchCase' && 'test' in node && part === node.test;
}

/** Whether it only matters of a part whether it is there. */
function isCompared(node: AnyNode, part: AnyNode): boolean {
  if (node.type !== 'BinaryExpression' || !/^[=!]==?$/.test(node.operator)) return false;
  return isNothing(part === node.left ? node.right : node.left);
}

/** Whether a part is called: a method is given the object that it is of as `this`. */
function isCalled(node: AnyNode, part: AnyNode): boolean {
  return ('callee' in node && part === node.callee) || ('tag' in node && part === node.tag);
}

/** The parts of a node in which the name of a variable may mean it; where it means another, that counts too. */
function partsOf(node: AnyNode, { name, isParameter }: Holder): readonly AnyNode[] {
  const hides = 'params' in node && 'body' in node ? node.params : [];
  const isHidden = hides.some((each) => each.type === 'Identifier' && each.name === name);
  // A variable that is declared inside may be one that a parameter there began as.
  return isParameter && isHidden ? [] : children(node);
}

/** Where in the record the value of a node is, when the node says so plainly. */
function pathOf(node: AnyNode, holder: Holder): FieldPath | null {
  const plain = withoutChain(node);
  if (plain.type === 'Identifier') {
    return plain.name === holder.name ? holder.path : null;
  }
  if (plain.type !== 'MemberExpression') return null;
  const path = pathOf(plain.object, holder);
  const name = path === null ? null : propertyName(plain.property, plain.computed);
  return path === null || name === null ? null : [...path, name];
}

/** `a?.b` is a member inside a chain. */
function withoutChain(node: AnyNode): AnyNode {
  return node.type === 'ChainExpression' ? node.expression : node;
}

/** The name of a property as far as the text tells it and it is one of records, else null. */
function propertyName(key: AnyNode, computed: boolean): string | null {
  if (key.type === 'Identifier') return !computed && isOwnField(key.name) ? key.name : null;
  if (key.type !== 'Literal') return null;
  const isName = typeof key.value === 'string' || typeof key.value === 'number';
  return isName && isOwnField(String(key.value)) ? String(key.value) : null;
}

function isNothing(node: AnyNode): boolean {
  if (node.type === 'Identifier') return node.name === 'undefined';
  return node.type === 'Literal' && node.raw === 'null';
}

/** The nodes within a node, without names that are no variables: properties, keys, labels. */
function children(node: AnyNode): readonly AnyNode[] {
  const isKey = (key: string): boolean =>
    ('computed' in node && !node.computed && (key === 'property' || key === 'key')) ||
    key === 'label';
  return Object.entries(node)
    .filter(([key]) => !isKey(key))
    .flatMap(([, value]) => value)
    .filter(isNode);
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
}
