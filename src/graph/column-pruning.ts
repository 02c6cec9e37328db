/**
 * Walks a graph from its sinks backward and finds which fields of each operator's output anybody
 * uses, so that readers parse and edges carry nothing else. Unknown (a function whose use of its
 * record cannot be seen) means all. Callers: `plan.ts`. Runs on: any thread; pure. Invariant: null
 * means all, an empty list means that only the number of records matters.
 */
import { usedFields } from '../operator/lambda-fields.js';
import { fieldsNeeded } from '../operator/operator-fields.js';
import type { InputSide } from '../operator/operator-sides.js';
import type { OperatorSpec, Partitioner } from '../operator/operator-spec.js';
import { type LogicalNode, sideOf } from './logical-graph.js';
import type { PlacedGraph } from './placement.js';

/** Sorted names of fields; null for all. */
export type FieldNames = readonly string[] | null;

/** What is wanted of each node. */
export interface WantedFields {
  /** By node: fields of its output that somebody downstream uses. */
  readonly outputs: readonly FieldNames[];
  /** By node and side: fields of its input that it uses; what an edge into it carries. */
  readonly inputs: readonly (readonly FieldNames[])[];
}

const SIDES = [0, 1] as const;

/** Finds the wanted fields of all nodes. */
export function wantedFields(graph: PlacedGraph): WantedFields {
  const outputs: (Set<string> | null)[] = graph.nodes.map(() => new Set());
  const inputs: (readonly FieldNames[])[] = graph.nodes.map(() => []);
  for (const node of [...graph.nodes].reverse()) {
    const output = sorted(outputs[node.id] ?? null);
    const bySide = SIDES.map((side) => inputFields(node, output, side));
    inputs[node.id] = bySide;
    for (const input of node.inputs) {
      const needed = bySide[sideOf(input)] ?? null;
      const dealtBy = partitionerFields(input.partitioner);
      const known = outputs[input.node] ?? null;
      const isAll = known === null || needed === null || dealtBy === null;
      outputs[input.node] = isAll ? null : new Set([...known, ...needed, ...dealtBy]);
    }
  }
  return { outputs: outputs.map(sorted), inputs };
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

function inputFields(node: LogicalNode, output: FieldNames, side: InputSide): FieldNames {
  if (node.kind === 'source') return [];
  if (node.kind === 'sink') return sorted(node.connector.columns);
  return sorted(fieldsNeeded(node.spec, output, side));
}

/**
 * Fields that decide where a record goes; they must exist before the edge but need not cross it.
 */
function partitionerFields(partitioner: Partitioner | null): FieldNames {
  if (partitioner?.kind === 'hash') return partitioner.keys;
  return partitioner?.kind === 'custom' ? usedFields(partitioner.fn) : [];
}

function sorted(names: Iterable<string> | null): FieldNames {
  return names === null ? null : [...new Set(names)].sort();
}
