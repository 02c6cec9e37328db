/**
 * Walks the schemas of a graph from its sources forward, as far as they are known (a lambda without
 * declared result ends the knowledge), and refuses unknown fields, misapplied expressions and keys
 * that cannot be hashed. Callers: `plan.ts`, and the runtime again once sources have found their
 * schemas. Runs on: any thread.
 */
import { MillraceError } from '../base/errors.js';
import { didYouMean } from '../base/nearest-name.js';
import { tableKeyType } from '../operator/key-code.js';
import type { InputSide } from '../operator/operator-sides.js';
import { joinFields } from '../operator/operator-fields.js';
import { outputSchemaOf } from '../operator/operator-schema.js';
import { type DataType, fieldIndex, type Schema, typeName } from '../record/schema.js';
import { mergeSchemas, sameSchema, sameType } from '../record/schema-merge.js';
import { nodeError, withPlace } from './error-place.js';
import { identityOf, type LogicalGraph, type LogicalNode, sideOf } from './logical-graph.js';

/** Schemas that sources found by looking at their input, by uid of the source. */
type SourceSchemas = ReadonlyMap<string, Schema>;

/**
 * The schema of every node's output, null where only running will tell. Throws `FIELD_UNKNOWN`,
 * `TYPE_MISMATCH` or `KEY_UNSUPPORTED` with the operator and the user's line.
 */
export function checkSchemas(
  graph: LogicalGraph,
  found: SourceSchemas = new Map(),
): readonly (Schema | null)[] {
  const outputs: (Schema | null)[] = [];
  const united = new UnitedStreams(graph);
  for (const node of graph.nodes) {
    if (node.kind === 'source') {
      const schema = node.schema ?? found.get(identityOf(node).uid) ?? null;
      outputs.push(schema);
      united.source(schema);
      continue;
    }
    const [input = null, second = null] = SIDES.map((side) => inputSchemaOf(node, side, outputs));
    if (input !== null) checkInputFields(graph, node, 0, input);
    if (second !== null) checkInputFields(graph, node, 1, second);
    if (input !== null && second !== null) checkKeyTypes(graph, node, input, second);
    outputs.push(
      node.kind === 'operator'
        ? withPlace(graph.jobName, node, () => outputSchemaOf(node.spec, input))
        : null,
    );
    united.check(node);
  }
  return outputs;
}

/**
 * The forms in which records come out of each node. A union merges no records: those of each stream keep the fields
 * they have, so what is read behind it has to be there in all of them.
 */
class UnitedStreams {
  readonly #graph: LogicalGraph;
  /** By node: the schemas that are known. */
  readonly #forms: (readonly Schema[])[] = [];

  constructor(graph: LogicalGraph) {
    this.#graph = graph;
  }

  source(schema: Schema | null): void {
    this.#forms.push(schema === null ? [] : [schema]);
  }

  /** Throws when a node reads a field that the records of one of its streams lack. */
  check(node: LogicalNode): void {
    const sides = SIDES.map((side) =>
      node.inputs
        .filter((input) => sideOf(input) === side)
        .flatMap((input) => this.#forms[input.node] ?? []),
    );
    const graph = this.#graph;
    const outputs = sides.flatMap((forms, side) =>
      forms.map((form) =>
        this.#inEach(node, () => {
          checkKeys(graph, node, side === 0 ? 0 : 1, form);
          if (node.kind !== 'operator' || side > 0) return null;
          return withPlace(graph.jobName, node, () => outputSchemaOf(node.spec, form));
        }),
      ),
    );
    this.#forms.push(different(outputs.filter((output) => output !== null)));
  }

  /** Checks one form after the union as a whole was found right: what is wrong then is a difference of forms. */
  #inEach<R>(node: LogicalNode, check: () => R): R {
    try {
      return check();
    } catch (error) {
      if (!MillraceError.is(error) || error.code !== 'FIELD_UNKNOWN') throw error;
      const { field } = error.where;
      const name = field === undefined ? 'a field that is read' : `"${field}"`;
      throw nodeError(
        'FIELD_UNKNOWN',
        this.#graph.jobName,
        node,
        `one of the streams that union(...) brought together has no field ${name}.`,
        {
          ...(field === undefined ? {} : { field }),
          advice: `Give it to every stream before the union, as in withColumn(${name}, lit(null)).`,
          cause: error,
        },
      );
    }
  }
}

function different(schemas: readonly Schema[]): readonly Schema[] {
  return schemas.filter(
    (schema, at) => schemas.findIndex((other) => sameSchema(other, schema)) === at,
  );
}

const SIDES = [0, 1] as const;

/** The schema of all inputs of a side; null when one is not known, or there is none. */
function inputSchemaOf(
  node: LogicalNode,
  side: InputSide,
  outputs: readonly (Schema | null)[],
): Schema | null {
  let merged: Schema | null = null;
  for (const input of node.inputs) {
    if (sideOf(input) !== side) continue;
    const schema = outputs[input.node] ?? null;
    if (schema === null) return null;
    merged = merged === null ? schema : mergeSchemas(merged, schema);
  }
  return merged;
}

function checkInputFields(
  graph: LogicalGraph,
  node: LogicalNode,
  side: InputSide,
  input: Schema,
): void {
  checkKeys(graph, node, side, input);
  if (node.kind === 'operator' && node.spec.kind === 'process') {
    for (const name of node.spec.reads?.[side] ?? []) requireField(graph, node, input, name);
  }
  if (node.kind === 'operator' && node.spec.kind === 'join' && node.spec.columns !== null) {
    for (const name of joinFields(node.spec, side) ?? []) requireField(graph, node, input, name);
  }
  if (node.kind !== 'sink') return;
  const { columns, requires = [] } = node.connector;
  for (const name of [...(columns ?? []), ...requires]) requireField(graph, node, input, name);
}

function checkKeys(graph: LogicalGraph, node: LogicalNode, side: InputSide, input: Schema): void {
  for (const each of node.inputs) {
    const { partitioner } = each;
    if (sideOf(each) !== side || partitioner?.kind !== 'hash') continue;
    for (const key of partitioner.keys) checkKey(graph, node, input, key);
  }
}

function requireField(
  graph: LogicalGraph,
  node: LogicalNode,
  schema: Schema,
  name: string,
): DataType {
  const field = schema.fields[fieldIndex(schema, name)];
  if (field !== undefined) return field.type;
  const names = schema.fields.map((known) => known.name);
  throw nodeError('FIELD_UNKNOWN', graph.jobName, node, `there is no field "${name}".`, {
    field: name,
    advice: didYouMean(name, names),
  });
}

/** Key fields must exist and hold values that are hashed and compared by value. */
function checkKey(graph: LogicalGraph, node: LogicalNode, schema: Schema, key: string): void {
  const type = requireField(graph, node, schema, key);
  if (!UNKEYED_KINDS.has(type.kind)) return;
  throw nodeError(
    'KEY_UNSUPPORTED',
    graph.jobName,
    node,
    `key "${key}" has type ${typeName(type)}, which is not hashed by value.`,
    {
      field: key,
      advice: 'Key by a field of it instead, or by keyBy((record) => text or number).',
    },
  );
}

/** Equal keys of both sides meet in one subtask only when they are hashed as values of one type. */
function checkKeyTypes(
  graph: LogicalGraph,
  node: LogicalNode,
  first: Schema,
  second: Schema,
): void {
  const left = keysOfInputs(node, 0);
  const right = keysOfInputs(node, 1);
  if (left === null || right === null) return;
  const isSame =
    left.length === right.length &&
    left.every((name, at) => {
      const [a, b] = [typeOfField(first, name), typeOfField(second, right[at] ?? '')];
      return a === null || b === null || sameType(tableKeyType(a), tableKeyType(b));
    });
  if (isSame) return;
  throw nodeError(
    'TYPE_MISMATCH',
    graph.jobName,
    node,
    `its sides are keyed by ${keyTypes(first, left)} and by ${keyTypes(second, right)}.`,
    { advice: 'Key both sides by the same number of fields of the same types; cast() converts.' },
  );
}

function keysOfInputs(node: LogicalNode, side: InputSide): readonly string[] | null {
  const input = node.inputs.find((each) => sideOf(each) === side);
  return input?.partitioner?.kind === 'hash' ? input.partitioner.keys : null;
}

function typeOfField(schema: Schema, name: string): DataType | null {
  return schema.fields[fieldIndex(schema, name)]?.type ?? null;
}

function keyTypes(schema: Schema, keys: readonly string[]): string {
  const types = keys.map((name) => {
    const type = typeOfField(schema, name);
    return type === null ? name : `${name} (${typeName(type)})`;
  });
  return types.join(', ');
}

const UNKEYED_KINDS: ReadonlySet<DataType['kind']> = new Set(['any', 'list', 'struct', 'map']);
