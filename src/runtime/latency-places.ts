/**
 * Where the latencies of markers are in shared memory: a history for each operator and sink of a subtask and each place
 * that markers come from, as finely as `metrics.latency.granularity` tells those apart. Callers: what deploys a run,
 * the markers of a slot, the snapshot of metrics. Runs on: any thread. Invariant: every thread of a run numbers the
 * histories alike, because all rebuild the same plan.
 */
import { MillraceError } from '../base/errors.js';
import { formatBytes } from '../base/units.js';
import type { PhysicalPlan } from '../graph/physical-plan.js';
import { SEGMENT_BYTES_MAX } from '../memory/arena.js';
import { historyLength, isUsed, readLatencies } from '../metrics/latency-history.js';
import type { HistogramStatistics, MetricScope } from '../metrics/read-user-metrics.js';
import type { OperatorIdentity } from '../operator/operator-spec.js';
import type { Settings } from './settings.js';
import { vertexId } from './vertex-id.js';

/** Where markers come from; null where that is not told apart. */
export interface MarkerOrigin {
  readonly vertex: number | null;
  readonly subtask: number | null;
}

/** Latencies of markers from a source to an operator or sink, in one of its subtasks. */
export interface LatencyMetric {
  /** Uid of the source, and its subtask; null where they are not told apart. */
  readonly source: string | null;
  readonly sourceSubtask: number | null;
  readonly operator: string;
  readonly uid: string;
  readonly subtask: number;
  /** The groups of its name, as Flink has them: variables with the ids of REST. */
  readonly groups: readonly MetricScope[];
  /** In milliseconds. */
  readonly value: HistogramStatistics;
}

/** Numbers the histories of a plan. */
export class LatencyPlaces {
  readonly #plan: PhysicalPlan;
  readonly #length: number;
  readonly #granularity: string;

  constructor(plan: PhysicalPlan, settings: Settings) {
    this.#plan = plan;
    this.#length = historyLength(settings['metrics.latency.historySize']);
    this.#granularity = settings['metrics.latency.granularity'];
  }

  /** Where the markers come from that may reach a vertex. */
  originsOf(vertex: number): readonly MarkerOrigin[] {
    if (this.#granularity === 'single') return [{ vertex: null, subtask: null }];
    const { vertices } = this.#plan;
    const sources = this.#before(vertex).filter((one) => vertices[one].source !== null);
    return sources.flatMap((source): readonly MarkerOrigin[] =>
      this.#granularity === 'operator'
        ? [{ vertex: source, subtask: null }]
        : vertices[source].slots.map((_, subtask) => ({ vertex: source, subtask })),
    );
  }

  /** Bytes of the histories of a vertex. Throws OPTION_INVALID when they would be too many. */
  bytesOf(vertex: number): number {
    const { name, parallelism } = this.#plan.vertices[vertex];
    const histories = parallelism * this.#ownersOf(vertex).length * this.originsOf(vertex).length;
    const bytes = histories * this.#length * 8;
    if (bytes <= SEGMENT_BYTES_MAX) return bytes;
    throw new MillraceError(
      'OPTION_INVALID',
      `${histories} histories of latencies would take ${formatBytes(bytes)}.`,
      {
        where: { operator: name },
        advice:
          'Tell sources apart less finely by metrics.latency.granularity, lower ' +
          'metrics.latency.historySize, or set metrics.latency.interval to 0.',
      },
    );
  }

  /** The history of an owner, which is an operator by its index or, behind those, a sink. */
  history(
    memory: SharedArrayBuffer,
    vertex: number,
    subtask: number,
    owner: number,
    origin: number,
  ): Float64Array {
    const owners = this.#ownersOf(vertex).length;
    const at = (subtask * owners + owner) * this.originsOf(vertex).length + origin;
    return new Float64Array(memory, at * this.#length * 8, this.#length);
  }

  /** Everything that has been measured. */
  read(memory: readonly SharedArrayBuffer[]): readonly LatencyMetric[] {
    return this.#plan.vertices.flatMap(({ id }) => {
      const owners = this.#ownersOf(id);
      const origins = this.originsOf(id);
      return this.#histories(memory[id]).flatMap((history, at): readonly LatencyMetric[] => {
        const value = readLatencies(history);
        if (value === null) return [];
        const { vertex, subtask: sourceSubtask } = origins[at % origins.length];
        const owner = Math.floor(at / origins.length);
        const { name: operator, uid } = owners[owner % owners.length];
        const subtask = Math.floor(owner / owners.length);
        const source = this.#sourceUid(vertex);
        const groups = groupsOf({ source, sourceSubtask, uid, subtask });
        return [{ source, sourceSubtask, operator, uid, subtask, groups, value }];
      });
    });
  }

  /** Bytes of the histories of a vertex that have been written to. */
  usedBytes(memory: SharedArrayBuffer): number {
    return this.#histories(memory).filter(isUsed).length * this.#length * 8;
  }

  /** Makes the histories of a vertex empty. Memory that nobody used stays so. */
  clear(memory: SharedArrayBuffer): void {
    for (const history of this.#histories(memory).filter(isUsed)) history.fill(0);
  }

  #histories(memory: SharedArrayBuffer): readonly Float64Array[] {
    const bytes = this.#length * 8;
    return Array.from(
      { length: memory.byteLength / bytes },
      (_, at) => new Float64Array(memory, at * bytes, this.#length),
    );
  }

  #sourceUid(vertex: number | null): string | null {
    return vertex === null ? null : (this.#plan.vertices[vertex].source?.identity.uid ?? null);
  }

  #ownersOf(vertex: number): readonly OperatorIdentity[] {
    const { operators, sinks } = this.#plan.vertices[vertex];
    return [...operators.map(({ spec }) => spec), ...sinks.map(({ identity }) => identity)];
  }

  /** A vertex, and those whose records reach it. */
  #before(vertex: number): readonly number[] {
    const before = new Set([vertex]);
    for (const one of before) {
      for (const edge of this.#plan.vertices[one].inputs) before.add(this.#plan.edges[edge].from);
    }
    return [...before].toSorted((a, b) => a - b);
  }
}

function groupsOf({
  source,
  sourceSubtask,
  uid,
  subtask,
}: Omit<LatencyMetric, 'operator' | 'groups' | 'value'>): readonly MetricScope[] {
  const variable = (name: string, value: string | number | null): readonly MetricScope[] =>
    value === null ? [] : [{ name, value: String(value) }];
  return [
    { name: 'latency', value: null },
    ...variable('source_id', source === null ? null : vertexId(source)),
    ...variable('source_subtask_index', sourceSubtask),
    ...variable('operator_id', vertexId(uid)),
    ...variable('operator_subtask_index', subtask),
  ];
}

/** The memory of the latencies of a plan, by vertex; null for a run that measures none. */
export function latencyMemory(
  plan: PhysicalPlan,
  settings: Settings,
  shared: (purpose: string, bytes: number) => SharedArrayBuffer,
): readonly SharedArrayBuffer[] | null {
  if (settings['metrics.latency.interval'] === 0) return null;
  const places = new LatencyPlaces(plan, settings);
  return plan.vertices.map(({ id }) => shared('latencies', places.bytesOf(id)));
}
