/**
 * Lays a simulated job out on one slot, with rings far smaller than any setting allows. Runs on: the test's thread.
 */
import type { JobDefinition } from '../../src/api/job.js';
import { SeededRandom } from '../../src/base/random.js';
import { planJob } from '../../src/graph/plan.js';
import type { PhysicalPlan } from '../../src/graph/physical-plan.js';
import { sharedBuffer } from '../../src/memory/arena.js';
import { Ledger } from '../../src/memory/ledger.js';
import { createRing } from '../../src/ring/make-ring.js';
import { deploy } from '../../src/runtime/deploy.js';
import type { Deployment } from '../../src/runtime/deployment.js';
import { planInThread } from '../../src/runtime/plan-run.js';
import { resolveSettings } from '../../src/runtime/settings.js';
import { SimWorld } from './sim-world.js';
import { NOTHING_KEPT } from '../../src/runtime/plan-options.js';

/** How a job is laid out. */
export interface SimLayout {
  readonly seed: number;
  readonly parallelism: number;
  readonly batchRows: number;
  readonly ringBytes: number;
  /** Share of the channels that lie inside a slot; the others go through rings. */
  readonly localShare: number;
}

/** A job that can be started. */
export interface SimDeployment {
  readonly plan: PhysicalPlan;
  readonly deployment: Deployment;
}

/** Plans and deploys a job. */
export async function deployIn(
  definition: JobDefinition,
  layout: SimLayout,
  settings: Readonly<Record<string, string | number>>,
): Promise<SimDeployment> {
  const plan = planInThread(planJob(definition.build({}), { parallelism: layout.parallelism }));
  return { plan, deployment: withRings(await layOut(plan, layout, settings), layout) };
}

async function layOut(
  plan: PhysicalPlan,
  layout: SimLayout,
  values: Readonly<Record<string, string | number>>,
): Promise<Deployment> {
  const settings = resolveSettings([
    {
      origin: 'simulation',
      values: {
        'slot.memory': '512mb',
        'exchange.batchRows': layout.batchRows,
        ...values,
      },
    },
  ]);
  const context = { parallelism: 1, disk: new SimWorld(0).disk, baseDirectory: '/' };
  const sourcePlans = await Promise.all(
    plan.vertices.map(async ({ source }) => source?.connector.plan(context) ?? null),
  );
  return deploy(plan, {
    jobName: plan.jobName,
    attempt: 'simulated',
    moduleUrl: null,
    params: {},
    planHash: plan.hash,
    parallelism: layout.parallelism,
    kept: NOTHING_KEPT,
    baseDirectory: '/',
    settings,
    seed: layout.seed,
    sourcePlans,
    sinkPlans: plan.vertices.map(({ sinks }) => sinks.map(() => null)),
    checkpointing: null,
    restore: null,
  });
}

/** The same deployment with rings far smaller than any setting allows, as if some subtasks were in other slots. */
function withRings(deployment: Deployment, { seed, ringBytes, localShare }: SimLayout): Deployment {
  const random = new SeededRandom(seed ^ 0x10ca1);
  const apart = deployment.channels.filter(() => random.next() >= localShare);
  const bytes = Math.max(8, apart.length * ringBytes);
  const owner = { job: 'simulated', operator: null, subtask: null, purpose: 'ring' };
  const memory = sharedBuffer(bytes, owner, new Ledger());
  const rings = apart.map((channel, index) => {
    const byteOffset = index * ringBytes;
    createRing(memory, byteOffset, ringBytes, { messageBytesMax: 2 ** 26 });
    return { ...channel, memory: 0, byteOffset, byteLength: ringBytes };
  });
  return { ...deployment, ringMemory: [memory], rings };
}
