/**
 * Who held the memory of a run at the moment when its process was largest: rings and tables as far as they were
 * written, and all that the threads of its slots held beside. Callers: `execution.ts`, at the end of a run. Runs on:
 * the caller's thread. Invariant: what a thread held is counted once: its rows add up to its heap and its buffers.
 */
import { HOST_SLOT, type PhysicalPlan } from '../graph/physical-plan.js';
import { Ledger, type LedgerRow } from '../memory/ledger.js';
import { RunMetricsReader } from '../metrics/read-task-metrics.js';
import { readUserMetrics } from '../metrics/read-user-metrics.js';
import { SchemaRegistry } from '../record/schema-registry.js';
import { RING_HEADER_BYTES } from '../ring/ring-layout.js';
import { ControlMemory, HELD } from './control-layout.js';
import { type Deployment, isOfChannel } from './deployment.js';
import { LatencyPlaces } from './latency-places.js';
import type { MemoryMoment } from '../memory/heap-probe.js';
import type { LargestMoment } from './memory-watch.js';

/** The rows of one slot, or of what all share. */
export interface LedgerPart {
  readonly slot: number;
  readonly rows: readonly LedgerRow[];
}

/** The slot number under which the shared memory of the run stands in the ledger. */
const SHARED_LEDGER = -2;

/** The ledger of a run; `before` is the process as it was before the run. */
export function runLedger(
  plan: PhysicalPlan,
  deployment: Deployment,
  moment: LargestMoment,
  before: MemoryMoment,
): readonly LedgerPart[] {
  const control = new ControlMemory(moment.control, plan.vertices.length);
  const slots = Array.from({ length: deployment.slots }, (_, slot): LedgerPart => {
    const cells = control.heldCells(slot);
    const [heapBytes, bufferBytes] = [cells[HELD.heapBytes], cells[HELD.bufferBytes]];
    return { slot, rows: slotRows(plan, deployment, moment, { slot, heapBytes, bufferBytes }) };
  });
  // The caller's thread was there before, with a heap of its own.
  const own = {
    slot: HOST_SLOT,
    heapBytes: Math.max(0, moment.own.heldHeapBytes - before.own.heldHeapBytes),
    bufferBytes: Math.max(0, moment.own.externalBytes - before.own.externalBytes),
  };
  return [
    { slot: SHARED_LEDGER, rows: sharedRows(plan, deployment) },
    ...slots,
    { slot: HOST_SLOT, rows: slotRows(plan, deployment, moment, own) },
  ];
}

/** What the thread of a slot held. */
interface ThreadHeld {
  readonly slot: number;
  readonly heapBytes: number;
  readonly bufferBytes: number;
}

/**
 * The state of a slot lies in buffers, and where it is made of objects in the heap, by an estimate: so what is not
 * buffers is taken off the heap.
 */
function slotRows(
  plan: PhysicalPlan,
  deployment: Deployment,
  moment: LargestMoment,
  { slot, heapBytes, bufferBytes }: ThreadHeld,
): readonly LedgerRow[] {
  const ledger = new Ledger();
  const then = new RunMetricsReader(moment.metrics, plan, deployment.channels.length);
  const now = new RunMetricsReader(deployment.metrics, plan, deployment.channels.length);
  let stateBytes = 0;
  for (const { id, name: operator, slots } of plan.vertices) {
    for (const [subtask, of] of slots.entries()) {
      if (of !== slot) continue;
      const [held, last] = [then.task(id, subtask, 0), now.task(id, subtask, 0)];
      for (const [purpose, bytes, lastBytes] of [
        ['state', held.stateBytes, last.stateBytes],
        ['cache', held.cachedBytes, last.cachedBytes],
      ] as const) {
        stateBytes += bytes;
        const owner = { job: plan.jobName, operator, subtask, purpose };
        const mostBytes = Math.max(bytes, lastBytes);
        if (mostBytes > 0) ledger.add(owner, mostBytes, bytes);
      }
    }
  }
  const inHeap = Math.max(0, stateBytes - bufferBytes);
  const beside = (purpose: string, bytes: number): void => {
    if (bytes <= 0) return;
    ledger.add({ job: plan.jobName, operator: null, subtask: null, purpose }, bytes, bytes);
  };
  beside('heap', heapBytes - inHeap);
  beside('buffers', bufferBytes - stateBytes);
  return ledger.rows();
}

/** What all threads of the run share, as it stands: what was written stays. */
function sharedRows(plan: PhysicalPlan, deployment: Deployment): readonly LedgerRow[] {
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
