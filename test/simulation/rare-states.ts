/**
 * The states that a simulation is worth running for. A suite that never reaches one of them proves nothing about
 * it, so they are counted and a full run that misses one fails. Runs on: the test's thread.
 */
import type { Vertex } from '../../src/graph/physical-plan.js';
import { SchemaRegistry } from '../../src/record/schema-registry.js';
import { ringLayout } from '../../src/ring/ring-layout.js';
import { StreamIds } from '../../src/runtime/deployment.js';
import { MillraceError } from '../../src/base/errors.js';
import type { SimRun } from './simulate.js';

/** How each state is recognised in a run. */
const RECOGNISE = {
  'an output had no room': (run) => tasksOf(run).some((task) => task.backpressuredMs > 0),
  'a slot parked': (run) => run.world.counters.parks > 0,
  'a wake-up came between announcing and parking': (run) =>
    run.world.counters.wakesWhileAnnounced > 0,
  'a source waited': (run) => [...run.sources.values()].some((source) => source.waits > 0),
  'a sink refused': (run) => [...run.sinks.values()].some((sink) => sink.refusals > 0),
  'a schema widened in the middle of a stream': (run) => versionsOf(run).some((n) => n > 1),
  'a flatMap was resumed in a later step': (run) => run.pendingItems > 0,
  'a frame was larger than half a ring': hasLargeFrame,
  'an edge had channels inside a slot and rings': (run) =>
    run.plan.edges.some(({ id }) => {
      const count = run.deployment.rings.filter(({ edge }) => edge === id).length;
      return count > 0 && count < channelsOf(run, id);
    }),
  'all channels were inside a slot': (run) =>
    run.deployment.channels.length > 1 && run.deployment.rings.length === 0,
  'a subtask got no rows': (run) =>
    verticesOf(run).some(
      ({ rowsIn, subtasks }) => rowsIn > 0 && subtasks.some((t) => t.rowsIn === 0),
    ),
  'a source was empty': (run) =>
    run.job.nodes.some((n) => n.kind === 'source' && n.rows.length === 0),
  'a source subtask got no split': (run) =>
    run.plan.vertices.some((v) => v.source !== null && v.parallelism > splitsOf(run, v)),
  'a pre-aggregation ran': (run) => partialsOf(run).length > 0,
  'a pre-aggregation turned itself off': (run) =>
    run.job.preAggregateKeys > 0 &&
    partialsOf(run).some((vertex) =>
      tasksOf(run, vertex.id).some(
        (task) => task.rowsIn > 4 * run.job.preAggregateKeys && task.rowsOut > 0.8 * task.rowsIn,
      ),
    ),
  'a broadcast reached several subtasks': (run) =>
    run.plan.edges.some(
      (e) => e.partitioner.kind === 'broadcast' && run.plan.vertices[e.to].parallelism > 1,
    ),
  'a chain had several outputs': (run) =>
    run.plan.vertices.some((vertex) => vertex.outputs.length + vertex.sinks.length > 1),
  'a chain had several sinks': (run) => run.plan.vertices.some((vertex) => vertex.sinks.length > 1),
  'a stream met itself again': hasDiamond,
  'a job was canceled': (run) => MillraceError.is(run.error) && run.error.code === 'JOB_CANCELED',
  'a job was stopped early': (run) =>
    run.error === null && run.given.includes('stop') && !isWhole(run),
  'a job was drained early': (run) =>
    run.error === null && run.given[0] === 'drain' && !isWhole(run),
  'a function threw': (run) =>
    MillraceError.is(run.error) && run.error.code === 'USER_FUNCTION_FAILED',
  'a source failed': (run) => MillraceError.is(run.error) && run.error.code === 'SOURCE_FAILED',
  'a sink failed': (run) => MillraceError.is(run.error) && run.error.code === 'SINK_FAILED',
} as const satisfies Record<string, (run: SimRun) => boolean>;

/** Runs per state. */
export type StateCounts = Record<string, number>;

/** No state reached yet. */
export function emptyStates(): StateCounts {
  return Object.fromEntries(Object.keys(RECOGNISE).map((name) => [name, 0]));
}

/** Counts the states of a run. */
export function addStates(counts: StateCounts, run: SimRun): void {
  for (const [name, recognise] of Object.entries(RECOGNISE)) {
    if (recognise(run)) counts[name] = (counts[name] ?? 0) + 1;
  }
}

function verticesOf(run: SimRun) {
  return run.execution.metrics().vertices;
}

function tasksOf(run: SimRun, vertex?: number) {
  return verticesOf(run)
    .filter(({ id }) => vertex === undefined || id === vertex)
    .flatMap(({ subtasks }) => subtasks);
}

function versionsOf({ deployment, plan }: SimRun): readonly number[] {
  const registry = new SchemaRegistry(deployment.registry);
  const { count } = new StreamIds(plan);
  return Array.from({ length: count }, (_, id) => registry.stream(id).current()?.version ?? 0);
}

function hasLargeFrame(run: SimRun): boolean {
  const { claimBytesMax } = ringLayout(run.job.ringBytes);
  // No frame holds more than `batchRows` rows, so the average says that one at least was larger.
  return run.execution.metrics().edges.some(({ id, bytes, rows }) => {
    const rings = run.deployment.rings.filter(({ edge }) => edge === id).length;
    return rings === channelsOf(run, id) && bytes > claimBytesMax * rows;
  });
}

function channelsOf({ deployment }: SimRun, id: number): number {
  return deployment.channels.filter(({ edge }) => edge === id).length;
}

function partialsOf({ plan }: SimRun): readonly Vertex[] {
  return plan.vertices.filter(({ operators, outputs, sinks }) => {
    const partial = operators.findIndex(
      ({ spec }) => spec.kind === 'aggregate' && spec.phase === 'partial',
    );
    return (
      partial === operators.length - 1 && partial >= 0 && outputs.length === 1 && sinks.length === 0
    );
  });
}

function splitsOf(run: SimRun, vertex: Vertex): number {
  return run.deployment.sourcePlans[vertex.id]?.splits.length ?? 0;
}

function isWhole({ job, sources }: SimRun): boolean {
  return job.nodes.every(
    (node) => node.kind !== 'source' || sources.get(node.id)?.taken.length === node.rows.length,
  );
}

function hasDiamond({ job }: SimRun): boolean {
  const above = job.nodes.map(() => new Set<number>());
  return job.nodes.some((node) => {
    const [first, ...others] = node.inputs.map(({ node: id }) => new Set([id, ...above[id]]));
    if (first === undefined) return false;
    for (const set of [first, ...others]) for (const id of set) above[node.id].add(id);
    return others.some((set) => [...set].some((id) => first.has(id)));
  });
}
