/**
 * The schema of a Parquet file as a tree, with the levels at which values, lists and structs are
 * there, and as the schema its records have in Millrace. Callers: the Parquet source. Runs on: any
 * thread; pure. Invariant: levels are those of the Dremel paper as Parquet counts them: one
 * definition level for each optional or repeated node on the way, one repetition level for each
 * repeated one.
 */
import type { DataType, Field, Schema } from '../../record/schema.js';
import { corrupt, unsupported } from './corrupt.js';
import type { Leaf } from './leaf-decoder.js';
import { leafTypeOf, type TypeOptions } from './leaf-type.js';
import type { SchemaElement } from './parquet-types.js';
import * as types from './parquet-types.js';

/** What every node knows. */
interface NodeBase {
  readonly name: string;
  readonly nullable: boolean;
  /** Definition level from which on the node has a value that is not null. */
  readonly definition: number;
}

/** A column of values. */
export interface LeafNode extends NodeBase {
  readonly kind: 'leaf';
  readonly leaf: Leaf;
  /** Index of the column in each row group. */
  readonly column: number;
  readonly repetition: number;
}

/** Several columns side by side. */
export interface StructNode extends NodeBase {
  readonly kind: 'struct';
  readonly children: readonly SchemaNode[];
}

/** Any number of items; a map's are its keys and its values. */
export interface ListNode extends NodeBase {
  readonly kind: 'list' | 'map';
  readonly children: readonly SchemaNode[];
  /** Repetition level of a further item, and definition level from which on there is one. */
  readonly itemRepetition: number;
  readonly itemDefinition: number;
}

export type SchemaNode = LeafNode | StructNode | ListNode;

/**
 * The top-level columns of a file. Throws `FORMAT_INVALID` and `FEATURE_UNSUPPORTED`, naming the
 * column.
 */
export function schemaTree(
  elements: readonly SchemaElement[],
  options: TypeOptions,
): readonly SchemaNode[] {
  const builder = new TreeBuilder(elements, options);
  return builder.roots();
}

/** The type of the records in a file. */
export function schemaOfTree(nodes: readonly SchemaNode[]): Schema {
  return { shape: 'object', fields: nodes.map(fieldOfNode) };
}

/** The field that a node is. */
export function fieldOfNode(node: SchemaNode): Field {
  return { name: node.name, type: typeOfNode(node), nullable: node.nullable, optional: false };
}

/** A node without the fields of structs that a type, which is its own otherwise, does not have. */
export function partOfNode(node: SchemaNode, type: DataType): SchemaNode {
  if (node.kind !== 'struct' || type.kind !== 'struct') return node;
  const children = node.children.flatMap((child) => {
    const field = type.fields.find(({ name }) => name === child.name);
    return field === undefined ? [] : [partOfNode(child, field.type)];
  });
  return { ...node, children };
}

function typeOfNode(node: SchemaNode): DataType {
  if (node.kind === 'leaf') return node.leaf.type;
  if (node.kind === 'struct') return { kind: 'struct', fields: node.children.map(fieldOfNode) };
  const [first, second] = node.children.map(fieldOfNode);
  if (node.kind === 'list') {
    return { kind: 'list', item: { type: first.type, nullable: first.nullable } };
  }
  return {
    kind: 'map',
    key: first.type,
    value: { type: second.type, nullable: second.nullable },
  };
}

/** The columns below a node. */
export function leavesOf(node: SchemaNode): readonly LeafNode[] {
  return node.kind === 'leaf' ? [node] : node.children.flatMap(leavesOf);
}

/** Levels of the place where a node stands. */
interface Place {
  readonly definition: number;
  readonly repetition: number;
  /** Dotted path of the parent, with its dot. */
  readonly path: string;
}

class TreeBuilder {
  readonly #elements: readonly SchemaElement[];
  readonly #options: TypeOptions;
  #next = 0;
  #column = 0;

  constructor(elements: readonly SchemaElement[], options: TypeOptions) {
    this.#elements = elements;
    this.#options = options;
  }

  roots(): readonly SchemaNode[] {
    const root = this.#take();
    const place = { definition: 0, repetition: 0, path: '' };
    const nodes: SchemaNode[] = [];
    for (let child = 0; child < root.children; child++) nodes.push(this.#node(place));
    const names = new Set(nodes.map((node) => node.name));
    if (names.size === nodes.length) return nodes;
    throw unsupported('Two columns of the file have the same name.', 'Rename one of them.');
  }

  #take(): SchemaElement {
    const element = this.#elements[this.#next++];
    if (element === undefined) throw corrupt('The schema ends in the middle of a group.');
    return element;
  }

  #peek(): SchemaElement | undefined {
    return this.#elements[this.#next];
  }

  #node(place: Place): SchemaNode {
    const element = this.#take();
    if (element.repetition === types.REPEATED) return this.#bareList(element, place);
    return this.#inner(element, place, element.repetition === types.OPTIONAL);
  }

  /** A node that is not repeated itself. */
  #inner(element: SchemaElement, place: Place, nullable: boolean): SchemaNode {
    const definition = place.definition + (nullable ? 1 : 0);
    const inside = { ...place, definition, path: `${place.path}${element.name}.` };
    if (element.type !== null) return this.#leaf(element, place, nullable, definition);
    if (isList(element)) return this.#list(element, inside, nullable);
    if (isMap(element)) return this.#map(element, inside, nullable);
    return this.#struct(element, inside, nullable);
  }

  #leaf(element: SchemaElement, place: Place, nullable: boolean, definition: number): LeafNode {
    const name = place.path + element.name;
    const { type, conversion } = leafTypeOf(element, name, this.#options);
    const { typeLength } = element;
    const physical = element.type ?? types.BYTE_ARRAY;
    const fixed = physical === types.FIXED_LEN_BYTE_ARRAY;
    if (fixed && typeLength <= 0) throw corrupt(`Column "${name}" has values of no length.`);
    const leaf = { name, type, conversion, physical, typeLength: fixed ? typeLength : 0 };
    const { repetition } = place;
    const column = this.#column++;
    return { kind: 'leaf', name: element.name, nullable, definition, leaf, column, repetition };
  }

  #struct(element: SchemaElement, inside: Place, nullable: boolean): StructNode {
    const children: SchemaNode[] = [];
    for (let child = 0; child < element.children; child++) children.push(this.#node(inside));
    const { name } = element;
    return { kind: 'struct', name, nullable, definition: inside.definition, children };
  }

  /**
   * A repeated node without a list around it: a list that is never null, of items that are never
   * null.
   */
  #bareList(element: SchemaElement, place: Place): ListNode {
    const item = itemPlace(place, `${place.path}${element.name}.`);
    const child = this.#inner({ ...element, repetition: types.REQUIRED }, item, false);
    return {
      kind: 'list',
      name: element.name,
      nullable: false,
      definition: place.definition,
      children: [child],
      itemRepetition: item.repetition,
      itemDefinition: item.definition,
    };
  }

  #list(element: SchemaElement, inside: Place, nullable: boolean): SchemaNode {
    const repeated = this.#peek();
    if (element.children !== 1 || repeated?.repetition !== types.REPEATED) {
      return this.#struct(element, inside, nullable);
    }
    this.#take();
    const item = itemPlace(inside, `${inside.path}${repeated.name}.`);
    const child = isItemItself(element, repeated)
      ? this.#inner({ ...repeated, repetition: types.REQUIRED }, item, false)
      : this.#node(item);
    return {
      kind: 'list',
      name: element.name,
      nullable,
      definition: inside.definition,
      children: [child],
      itemRepetition: item.repetition,
      itemDefinition: item.definition,
    };
  }

  #map(element: SchemaElement, inside: Place, nullable: boolean): SchemaNode {
    const repeated = this.#peek();
    const plausible = element.children === 1 && repeated?.repetition === types.REPEATED;
    if (!plausible || repeated.children !== 2) return this.#struct(element, inside, nullable);
    this.#take();
    const item = itemPlace(inside, `${inside.path}${repeated.name}.`);
    const key = this.#node(item);
    const value = this.#node(item);
    return {
      kind: 'map',
      name: element.name,
      nullable,
      definition: inside.definition,
      children: [key, value],
      itemRepetition: item.repetition,
      itemDefinition: item.definition,
    };
  }
}

function itemPlace(place: Place, path: string): Place {
  return { definition: place.definition + 1, repetition: place.repetition + 1, path };
}

function isList({ logical, converted }: SchemaElement): boolean {
  return logical?.id === types.LOGICAL_LIST || converted === types.CONVERTED_LIST;
}

function isMap({ logical, converted }: SchemaElement): boolean {
  return (
    logical?.id === types.LOGICAL_MAP ||
    converted === types.CONVERTED_MAP ||
    converted === types.CONVERTED_MAP_KEY_VALUE
  );
}

/**
 * The rules of the format for lists of older writers, whose repeated node is the item and not a
 * group around it.
 */
function isItemItself(list: SchemaElement, repeated: SchemaElement): boolean {
  if (repeated.type !== null || repeated.children !== 1) return true;
  return repeated.name === 'array' || repeated.name === `${list.name}_tuple`;
}
