/**
 * Walks a graph from its sinks backward and finds which fields of each operator's output anybody
 * uses, so that readers parse and edges carry nothing else. Unknown (a function whose use of its
 * record cannot be seen) means all. Callers: `plan.ts`. Runs on: any thread; pure. Invariant: null
 * means all, an empty list means that only the number of records matters.
 */
import { usedTree } from '../operator/lambda-fields.js';
import { fieldsNeeded } from '../operator/operator-fields.js';
import type { InputSide } from '../operator/operator-sides.js';
import type { OperatorSpec, Partitioner } from '../operator/operator-spec.js';
import { type FieldTree, namesOf, treeOf, unionOf } from '../record/field-tree.js';
import { type LogicalNode, sideOf } from './logical-graph.js';
import type { PlacedGraph } from './placement.js';

/** Sorted names of fields; null for all. */
export type FieldNames = readonly string[] | null;

/** What is wanted of each node. */
export interface WantedFields {
  /** By node: fields of its output that somebody downstream uses. */
  readonly outputs: readonly FieldTree[];
  /** By node and side: fields of its input that it uses; what an edge into it carries. */
  readonly inputs: readonly (readonly FieldNames[])[];
}

const SIDES = [0, 1] as const;

/** Finds the wanted fields of all nodes. */
export function wantedFields(graph: PlacedGraph): WantedFields {
  const outputs: FieldTree[] = graph.nodes.map(() => new Map());
  const inputs: (readonly FieldNames[])[] = graph.nodes.map(() => []);
  for (const node of [...graph.nodes].reverse()) {
    const bySide = SIDES.map((side) => inputFields(node, outputs[node.id] ?? null, side));
    inputs[node.id] = bySide.map(namesOf);
    for (const input of node.inputs) {
      const needed = unionOf(bySide[sideOf(input)] ?? null, partitionerFields(input.partitioner));
      outputs[input.node] = unionOf(outputs[input.node] ?? null, needed);
    }
  }
  return { outputs, inputs };
}

/**
 * An operator without the results that nobody uses. A selection must not name fields that were
 * pruned before it, so its unused columns go with them.
 */
export function withoutUnused(spec: OperatorSpec, wanted: FieldNames): OperatorSpec {
  if (wanted === null) return spec;
  if (spec.kind === 'join' && spec.columns !== null) {
    return { ...spec, columns: spec.columns.filter(({ as }) => wanted.includes(as)) };
  }
  if (spec.kind !== 'select') return spec;
  const columns = spec.columns.filter((column) => wanted.includes(column.name));
  return columns.length === spec.columns.length ? spec : { ...spec, columns };
}

function inputFields(node: LogicalNode, output: FieldTree, side: InputSide): FieldTree {
  if (node.kind === 'source') return new Map();
  if (node.kind === 'sink') return treeOf(node.connector.columns);
  return fieldsNeeded(node.spec, output, side);
}

/**
 * Fields that decide where a record goes; they must exist before the edge but need not cross it.
 */
function partitionerFields(partitioner: Partitioner | null): FieldTree {
  if (partitioner?.kind === 'custom') return usedTree(partitioner.fn);
  return treeOf(partitioner?.kind === 'hash' ? partitioner.keys : []);
}
