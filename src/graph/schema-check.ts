/**
 * Walks the schemas of a graph from its sources forward, as far as they are known (a lambda without
 * declared result ends the knowledge), and refuses unknown fields, misapplied expressions and keys
 * that cannot be hashed. Callers: `plan.ts`, and the runtime again once sources have found their
 * schemas. Runs on: any thread.
 */
import { didYouMean } from '../base/nearest-name.js';
import { outputSchemaOf } from '../operator/operator-schema.js';
import { type DataType, fieldIndex, type Schema, typeName } from '../record/schema.js';
import { mergeSchemas } from '../record/schema-merge.js';
import { nodeError, withPlace } from './error-place.js';
import { identityOf, type LogicalGraph, type LogicalNode } from './logical-graph.js';

/** Schemas that sources found by looking at their input, by uid of the source. */
export type SourceSchemas = ReadonlyMap<string, Schema>;

/**
 * The schema of every node's output, null where only running will tell. Throws `FIELD_UNKNOWN`,
 * `TYPE_MISMATCH` or `KEY_UNSUPPORTED` with the operator and the user's line.
 */
export function checkSchemas(
  graph: LogicalGraph,
  found: SourceSchemas = new Map(),
): readonly (Schema | null)[] {
  const outputs: (Schema | null)[] = [];
  for (const node of graph.nodes) {
    if (node.kind === 'source') {
      outputs.push(node.schema ?? found.get(identityOf(node).uid) ?? null);
      continue;
    }
    const input = inputSchemaOf(node, outputs);
    if (input !== null) checkInputFields(graph, node, input);
    outputs.push(
      node.kind === 'operator'
        ? withPlace(graph.jobName, node, () => outputSchemaOf(node.spec, input))
        : null,
    );
  }
  return outputs;
}

function inputSchemaOf(node: LogicalNode, outputs: readonly (Schema | null)[]): Schema | null {
  let merged: Schema | null = null;
  for (const input of node.inputs) {
    const schema = outputs[input.node] ?? null;
    if (schema === null) return null;
    merged = merged === null ? schema : mergeSchemas(merged, schema);
  }
  return merged;
}

function checkInputFields(graph: LogicalGraph, node: LogicalNode, input: Schema): void {
  for (const { partitioner } of node.inputs) {
    if (partitioner?.kind !== 'hash') continue;
    for (const key of partitioner.keys) checkKey(graph, node, input, key);
  }
  if (node.kind !== 'sink') return;
  for (const name of node.connector.columns ?? []) requireField(graph, node, input, name);
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

const UNKEYED_KINDS: ReadonlySet<DataType['kind']> = new Set(['any', 'list', 'struct', 'map']);
