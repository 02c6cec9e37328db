/**
 * Lays out the shared memory of a run: rings, counters, control words, schema registry. Callers: `launch-run.ts`.
 * Runs on: the caller's thread. Invariant: the rings that a slot receives through fit the network share of its
 * memory, else the plan is refused with the setting to raise.
 */
import { HOST_SLOT, type PhysicalPlan } from '../graph/physical-plan.js';
import { Arena, sharedBuffer } from '../memory/arena.js';
import { Ledger } from '../memory/ledger.js';
import { fractionsOf, ringBytes, slotBudgetOf } from '../memory/slot-budget.js';
import { userMetricsBytes } from '../metrics/metric-directory-layout.js';
import { runMetricsBytes } from '../metrics/run-metrics.js';
import { createRing, MESSAGE_BYTES_MAX } from '../ring/make-ring.js';
import { WATERMARK_MIN } from '../time/watermark.js';
import { targetsOf } from './channels.js';
import { AlignmentGroups } from './alignment-groups.js';
import { alignmentCells, controlBytes } from './control-layout.js';
import { type ChannelPair, type Deployment, type RingPlacement, StreamIds } from './deployment.js';
import { lambdaReadings } from './lambda-readings.js';
import { latencyMemory } from './latency-places.js';

/** What is known before memory is laid out. */
export type DeploymentFacts = Omit<
  Deployment,
  | 'channels'
  | 'lambdaReadings'
  | 'ringMemory'
  | 'rings'
  | 'registry'
  | 'metrics'
  | 'userMetrics'
  | 'latencies'
  | 'control'
  | 'slots'
>;

/** Room for the schemas of a stream: wide records widened many times still fit. */
const REGISTRY_BYTES_PER_STREAM = 64 * 1024;
const REGISTRY_BYTES_MIN = 1024 * 1024;

/** Lays out shared memory. Throws MEMORY_BUDGET_TOO_SMALL. */
export function deploy(plan: PhysicalPlan, facts: DeploymentFacts): Deployment {
  const ledger = new Ledger();
  const channels = channelsOf(plan);
  const apart = channels.filter((pair) => slotFrom(plan, pair) !== slotTo(plan, pair));
  const sizes = ringSizes(plan, facts, apart);
  const messageBytesMax = Math.min(MESSAGE_BYTES_MAX, networkBytesOf(facts));
  const total = sizes.reduce((bytes, size) => bytes + size, 0);
  const arena = new Arena({
    bytes: Math.max(total, 1024),
    setting: 'slot.networkFraction',
    ledger,
  });
  const rings = apart.map((pair, index): RingPlacement => {
    const { edge, to } = pair;
    const operator = plan.vertices[plan.edges[edge].to].name;
    const owner = { job: plan.jobName, operator, subtask: to, purpose: 'ring' };
    const piece = arena.allocate(sizes[index], owner);
    createRing(piece.buffer, piece.byteOffset, piece.byteLength, { messageBytesMax });
    const { byteOffset, byteLength } = piece;
    const memory = arena.buffers.indexOf(piece.buffer);
    return { ...pair, memory, byteOffset, byteLength };
  });
  const shared = (purpose: string, bytes: number): SharedArrayBuffer =>
    sharedBuffer(bytes, { job: plan.jobName, operator: null, subtask: null, purpose }, ledger);
  const streams = new StreamIds(plan).count;
  const slots = plan.slots + 1;
  const { cells } = new AlignmentGroups(plan);
  const size = {
    metricsMax: facts.settings['metrics.perSubtask'],
    histogramsMax: facts.settings['metrics.histogramsPerSubtask'],
  };
  const bytesEach = userMetricsBytes(size);
  const userMetrics = plan.vertices.map(({ parallelism }) =>
    shared('user metrics', parallelism * bytesEach),
  );
  const control = shared('control', controlBytes(plan.vertices.length, slots, cells));
  alignmentCells(control, plan.vertices.length, slots, cells).fill(WATERMARK_MIN);
  return {
    ...facts,
    channels,
    ringMemory: arena.buffers,
    rings,
    registry: shared('registry', Math.max(REGISTRY_BYTES_MIN, streams * REGISTRY_BYTES_PER_STREAM)),
    metrics: shared('metrics', runMetricsBytes(plan, channels.length)),
    userMetrics: { memory: userMetrics, bytesEach, size },
    latencies: latencyMemory(plan, facts.settings, shared),
    control,
    slots: plan.slots,
    lambdaReadings: lambdaReadings(plan),
  };
}

function channelsOf(plan: PhysicalPlan): readonly ChannelPair[] {
  return plan.edges.flatMap((edge) =>
    plan.vertices[edge.from].slots.flatMap((_, from) =>
      targetsOf(plan, edge, from).map((to) => ({ edge: edge.id, from, to })),
    ),
  );
}

function slotFrom(plan: PhysicalPlan, { edge, from }: ChannelPair): number {
  return plan.vertices[plan.edges[edge].from].slots[from] ?? HOST_SLOT;
}

function slotTo(plan: PhysicalPlan, { edge, to }: ChannelPair): number {
  return plan.vertices[plan.edges[edge].to].slots[to] ?? HOST_SLOT;
}

/** The receiving slot's network share, divided among the rings it receives through. */
function ringSizes(
  plan: PhysicalPlan,
  facts: DeploymentFacts,
  pairs: readonly ChannelPair[],
): readonly number[] {
  const fractions = fractionsOf(facts.settings);
  const networkBytes = networkBytesOf(facts);
  const ringsInto = new Map<number, number>();
  for (const pair of pairs) {
    const slot = slotTo(plan, pair);
    ringsInto.set(slot, (ringsInto.get(slot) ?? 0) + 1);
  }
  return pairs.map((pair) =>
    ringBytes(networkBytes, ringsInto.get(slotTo(plan, pair)) ?? 1, fractions),
  );
}

/** The network share of a slot, which also bounds a single record. */
function networkBytesOf({ settings }: DeploymentFacts): number {
  return slotBudgetOf(settings).networkBytes;
}
