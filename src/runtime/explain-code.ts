/**
 * The generated code of a plan, without running it: sources look at their input for its schema, every chain compiles
 * for rows of the schema that reaches it, and what it proposes for its edges is the schema of the chains behind them.
 * Callers: `explain-job.ts`. Runs on: the caller's thread. Invariant: no user function is called, no sink is touched.
 */
import { assert } from '../base/assert.js';
import { systemClock } from '../base/clock.js';
import { nodeDisk } from '../base/node-disk.js';
import { SeededRandom } from '../base/random.js';
import type { PhysicalPlan, Vertex } from '../graph/physical-plan.js';
import { createChainTask } from '../operator/chain-task.js';
import type { ChainOutput, SpillSpace } from '../operator/chain-options.js';
import type { ChainParts } from '../operator/chain-parts.js';
import { loadChainParts } from './load-chain-parts.js';
import type { OutputPort, PortOptions } from '../operator/contract.js';
import type { OperatorSpec } from '../operator/operator-spec.js';
import type { BatchBuilder } from '../record/batch-builder.js';
import { createBatchBuilder } from '../record/batch-builder.js';
import { projectedSchema, treeOfPaths } from '../record/field-tree.js';
import { keyGroupRange } from '../record/key-group.js';
import type { Schema } from '../record/schema.js';
import { mergeSchemas, sameSchema } from '../record/schema-merge.js';
import type { SchemaVersion, StreamSchemas } from '../record/schema-registry.js';
import type { Settings } from './settings.js';
import { sketchMetrics } from './sketch-metrics.js';

/** The code of one chain. */
export interface ChainCodeText {
  readonly vertex: number;
  readonly name: string;
  /** The functions as JavaScript; null when there are none yet. */
  readonly code: string | null;
  /** Why there is no code, or not all of it; null when it is complete. */
  readonly missing: string | null;
}

/** Rows as they reach a chain. */
interface ArrivingRows {
  readonly schema: Schema;
  readonly marks: PortOptions;
}

/** Generates the code of every chain of a plan. */
export async function explainCode(
  plan: PhysicalPlan,
  settings: Settings,
  baseDirectory: string,
): Promise<readonly ChainCodeText[]> {
  const arriving = new Map<number, ArrivingRows>();
  const texts: ChainCodeText[] = [];
  for (const vertex of plan.vertices) {
    const rows = await rowsInto(vertex, arriving, baseDirectory);
    const { name, id } = vertex;
    if (rows.length === 0) {
      const missing = whyNoRows(plan, vertex);
      texts.push({ vertex: id, name, code: null, missing });
      continue;
    }
    const loaded = await loadChainParts(vertex.operators.map(({ spec }) => spec));
    const code = compileVertex({ plan, vertex, settings, loaded, rows, arriving });
    const missing = whyIncomplete(vertex);
    texts.push({ vertex: id, name, code: code === '' ? null : code, missing });
  }
  return texts;
}

/** What reaches a chain, by input; inputs whose schema is not known are left out. */
async function rowsInto(
  vertex: Vertex,
  arriving: ReadonlyMap<number, ArrivingRows>,
  baseDirectory: string,
): Promise<readonly (readonly [input: number, rows: ArrivingRows])[]> {
  if (vertex.source === null) {
    return vertex.inputs.flatMap((edge, input) => {
      const rows = arriving.get(edge);
      return rows === undefined ? [] : [[input, rows] as const];
    });
  }
  const { connector, columns, paths } = vertex.source;
  const { parallelism } = vertex;
  const found = await connector.plan({ parallelism, disk: nodeDisk, baseDirectory });
  const schema = vertex.source.schema ?? found.schema;
  if (schema === null) return [];
  const tree = connector.projects ? treeOfPaths(columns, paths) : null;
  const marks = { times: false, kinds: false };
  return [[0, { schema: projectedSchema(schema, tree), marks }]];
}

/** No record comes, so nothing is put there. */
const NO_SPACE: SpillSpace = { budgetBytes: 64 * 1024, disk: nodeDisk, directory: '.' };

/** What the code of a chain is made of. */
interface SketchParts {
  readonly plan: PhysicalPlan;
  readonly vertex: Vertex;
  readonly settings: Settings;
  readonly loaded: ChainParts;
  readonly rows: readonly (readonly [input: number, rows: ArrivingRows])[];
  /** Filled with what the chain gives to its edges. */
  readonly arriving: Map<number, ArrivingRows>;
}

function compileVertex(parts: SketchParts): string {
  const { plan, vertex, settings, loaded, rows } = parts;
  const schemas = vertex.operators.map(() => new SketchSchemas());
  const { parallelism, maxParallelism } = vertex;
  const keyGroups = keyGroupRange(0, parallelism, maxParallelism);
  const openTable = loaded.stateful?.createHotTable;
  const task = createChainTask({
    vertexName: vertex.name,
    operators: vertex.operators,
    inputSides: vertex.inputs.map((edge) => plan.edges[edge].side),
    outputs: sketchOutputs(parts),
    streamSchemas: (operator) => schemas[operator],
    subtask: 0,
    parallelism,
    maxParallelism,
    clock: systemClock,
    random: new SeededRandom(0),
    control: new Int32Array(1),
    parts: loaded,
    space: NO_SPACE,
    tables: (_uid, spec) => {
      assert(openTable, 'Only operators with state open tables.');
      return openTable(spec, { keyGroups });
    },
    userMetrics: sketchMetrics(plan.jobName),
    countLate: () => undefined,
    preAggregateKeysMax: settings['aggregate.preAggregateKeys'],
  });
  try {
    for (const [input, { schema, marks }] of rows) {
      task.prepare(input, createBatchBuilder(schema, 1, { capacity: 1, ...marks }).take());
    }
    return task.code();
  } finally {
    task.close();
  }
}

function sketchOutputs({ plan, vertex, settings, arriving }: SketchParts): readonly ChainOutput[] {
  const capacity = settings['exchange.batchRows'];
  const toEdge = (edge: number): ((rows: ArrivingRows) => void) => {
    return (opened) => void arriving.set(edge, opened);
  };
  return [
    ...vertex.outputs.map(({ edge, after }) => ({
      port: new SketchPort(channelsOf(plan, edge), capacity, toEdge(edge)),
      after,
      partitioner: plan.edges[edge].partitioner,
      columns: plan.edges[edge].columns,
      maxParallelism: plan.vertices[plan.edges[edge].to].maxParallelism,
    })),
    ...vertex.sinks.map(({ after, connector }) => ({
      port: new SketchPort(1, capacity, () => {}),
      after,
      partitioner: { kind: 'forward' as const },
      columns: connector.columns,
    })),
  ];
}

/** A forward edge ends in the subtask beside; others deal to all subtasks behind them. */
function channelsOf(plan: PhysicalPlan, edge: number): number {
  const { partitioner, to } = plan.edges[edge];
  return partitioner.kind === 'forward' ? 1 : plan.vertices[to].parallelism;
}

function whyNoRows(plan: PhysicalPlan, vertex: Vertex): string {
  if (vertex.source !== null) {
    return 'The source learns the schema of its records only when it reads them.';
  }
  const [edge] = vertex.inputs;
  const before = edge === undefined ? '' : ` from [${plan.edges[edge].from}]`;
  return `The schema of what arrives${before} is known only at run time.`;
}

/** What functions return is known only when they have been called. */
function whyIncomplete({ operators }: Vertex): string | null {
  const unknown = operators
    .filter(({ spec }) => ('returns' in spec ? spec.returns === null : isComputed(spec)))
    .map(({ spec }) => JSON.stringify(spec.name));
  if (unknown.length === 0) return null;
  const last = unknown.pop() ?? '';
  const names =
    unknown.length === 0 ? `${last} returns` : `${unknown.join(', ')} and ${last} return`;
  return `What ${names} is known only at run time; code behind it follows its first records.`;
}

/** Whether an operator's function makes values whose type nobody has declared. */
function isComputed(spec: OperatorSpec): boolean {
  return spec.kind === 'computeKey' || spec.kind === 'reduce';
}

/** A port that leads nowhere: it has builders for generated code to be bound to. */
class SketchPort implements OutputPort {
  readonly channels: number;
  builders: readonly BatchBuilder[] = [];
  readonly #capacity: number;
  readonly #opened: (rows: ArrivingRows) => void;

  constructor(channels: number, capacity: number, opened: (rows: ArrivingRows) => void) {
    this.channels = channels;
    this.#capacity = capacity;
    this.#opened = opened;
  }

  open(schema: Schema, marks: PortOptions): boolean {
    this.builders = Array.from({ length: this.channels }, () =>
      createBatchBuilder(schema, 1, { capacity: this.#capacity, ...marks }),
    );
    this.#opened({ schema, marks });
    return true;
  }

  flush(): boolean {
    return true;
  }
}

/** The schemas of a stream that has one producer. */
class SketchSchemas implements StreamSchemas {
  readonly #versions: SchemaVersion[] = [];

  current(): SchemaVersion | null {
    return this.#versions.at(-1) ?? null;
  }

  propose(schema: Schema): SchemaVersion {
    const current = this.current();
    const merged = current === null ? schema : mergeSchemas(current.schema, schema);
    if (current !== null && sameSchema(merged, current.schema)) return current;
    const next = { schema: merged, version: this.#versions.length + 1 };
    this.#versions.push(next);
    return next;
  }

  get(version: number): Schema {
    return this.#versions[version - 1].schema;
  }
}
