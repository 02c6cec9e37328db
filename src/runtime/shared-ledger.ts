/**
 * Who holds the shared memory of a run, and how much of it has been written: rings commit memory only as frames pass
 * through. Callers: `execution.ts`, at the end of a run. Runs on: the caller's thread.
 */
import type { PhysicalPlan } from '../graph/physical-plan.js';
import { Ledger, type LedgerRow } from '../memory/ledger.js';
import { RunMetricsReader } from '../metrics/read-task-metrics.js';
import { readUserMetrics } from '../metrics/read-user-metrics.js';
import { SchemaRegistry } from '../record/schema-registry.js';
import { RING_HEADER_BYTES } from '../ring/ring-layout.js';
import { type Deployment, isOfChannel } from './deployment.js';
import { LatencyPlaces } from './latency-places.js';

/** The ledger of the shared memory, as it stands. */
export function sharedLedger(plan: PhysicalPlan, deployment: Deployment): readonly LedgerRow[] {
  const ledger = new Ledger();
  const { registry, metrics, userMetrics, latencies, control, rings, channels } = deployment;
  const counters = new RunMetricsReader(metrics, plan, channels.length);
  for (const ring of rings) {
    const { edge, to, byteLength } = ring;
    const operator = plan.vertices[plan.edges[edge].to].name;
    const owner = { job: plan.jobName, operator, subtask: to, purpose: 'ring' };
    // A ring is written from its beginning, round and round.
    const index = channels.findIndex((channel) => isOfChannel(channel, ring));
    const sentBytes = counters.channel(index, 0).bytes;
    ledger.add(owner, byteLength, Math.min(byteLength, RING_HEADER_BYTES + sentBytes));
  }
  const shared = (purpose: string, memory: SharedArrayBuffer, touchedBytes: number): void => {
    const owner = { job: plan.jobName, operator: null, subtask: null, purpose };
    ledger.add(owner, memory.byteLength, touchedBytes);
  };
  shared('registry', registry, new SchemaRegistry(registry).usedBytes);
  shared('metrics', metrics, metrics.byteLength);
  for (const { id, slots } of plan.vertices) {
    const memory = userMetrics.memory[id];
    const used = slots.filter(
      (_, subtask) => readUserMetrics(memory, subtask * userMetrics.bytesEach).length > 0,
    );
    shared('user metrics', memory, used.length * userMetrics.bytesEach);
  }
  if (latencies !== null) {
    const places = new LatencyPlaces(plan, deployment.settings);
    for (const memory of latencies) shared('latencies', memory, places.usedBytes(memory));
  }
  shared('control', control, control.byteLength);
  return ledger.rows();
}
