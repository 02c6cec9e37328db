/**
 * Makes the shared memory of a region as it was before its attempt began: empty rings, no splits given out, counters at
 * zero. The registry of schemas, which only grows, stays. Callers: `execution.ts`. Runs on: the caller's thread, after
 * all slots have closed what they had of the region. Invariant: nothing of other regions is touched.
 */
import type { PhysicalPlan } from '../graph/physical-plan.js';
import { clearMetrics, clearUserMetrics } from '../metrics/clear-metrics.js';
import { clearRing } from '../ring/make-ring.js';
import { WATERMARK_MIN } from '../time/watermark.js';
import { AlignmentGroups } from './alignment-groups.js';
import { alignmentCells, ControlMemory } from './control-layout.js';
import type { Deployment } from './deployment.js';
import { LatencyPlaces } from './latency-places.js';

/** Clears what is of the region with these vertices. */
export function clearRegion(
  plan: PhysicalPlan,
  deployment: Deployment,
  vertices: readonly number[],
): void {
  const isOf = (vertex: number): boolean => vertices.includes(vertex);
  for (const { edge, memory, byteOffset } of deployment.rings) {
    if (isOf(plan.edges[edge].from)) clearRing(deployment.ringMemory[memory], byteOffset);
  }
  const control = new ControlMemory(deployment.control, plan.vertices.length);
  for (const vertex of vertices) {
    control.nextSplit(vertex).fill(0);
    control.loopWords(vertex).fill(0);
  }
  clearWatermarks(plan, deployment, isOf);
  const { metrics, userMetrics, latencies, channels, settings } = deployment;
  for (const vertex of vertices) {
    clearUserMetrics(userMetrics.memory[vertex], userMetrics.bytesEach);
    if (latencies !== null) new LatencyPlaces(plan, settings).clear(latencies[vertex]);
  }
  clearMetrics(
    metrics,
    plan,
    channels.map(({ edge }) => plan.edges[edge].from),
    isOf,
  );
}

/** Others that align their watermarks with those of the region wait until it has some again. */
function clearWatermarks(
  plan: PhysicalPlan,
  deployment: Deployment,
  isOf: (vertex: number) => boolean,
): void {
  const groups = new AlignmentGroups(plan);
  const slots = deployment.slots + 1;
  const cells = alignmentCells(deployment.control, plan.vertices.length, slots, groups.cells);
  for (const cell of groups.cellsOf(isOf)) cells[cell] = WATERMARK_MIN;
}
