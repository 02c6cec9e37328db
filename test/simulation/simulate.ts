/**
 * Runs the job of a seed in a simulated world and compares everything that can be seen of the run with what the
 * reference model says must be. Runs on: the test's thread.
 */
import { job } from '../../src/api/job.js';
import type { PhysicalPlan } from '../../src/graph/physical-plan.js';
import type { Deployment } from '../../src/runtime/deployment.js';
import { Execution, type JobResult } from '../../src/runtime/execution.js';
import { startInThread } from '../../src/runtime/in-thread-run.js';
import { checkRun } from './check-run.js';
import type { SinkRecord, SourceRecord } from './sim-connectors.js';
import { simSink, simSource } from './sim-connectors.js';
import { deployIn } from './sim-deploy.js';
import { latencyTracking } from './latency-tracking.js';
import { buildFlow } from './sim-flow.js';
import type { SimCommand, SimJob } from './sim-job.js';
import { PROBE } from './sim-records.js';
import { SimWorld } from './sim-world.js';

/** Everything that was seen of a run. */
export interface SimRun {
  readonly job: SimJob;
  readonly plan: PhysicalPlan;
  readonly deployment: Deployment;
  readonly world: SimWorld;
  readonly execution: Execution;
  readonly sources: ReadonlyMap<number, SourceRecord>;
  readonly sinks: ReadonlyMap<number, SinkRecord>;
  /** Commands that were given, in order. */
  readonly given: readonly SimCommand['what'][];
  readonly states: readonly string[];
  readonly result: JobResult | null;
  readonly error: unknown;
  /** Items of flatMaps that were pulled in another step than the first one. */
  readonly pendingItems: number;
}

/** Runs the job; the run is checked and given back. Throws what is wrong with it. */
export async function simulate(simJob: SimJob): Promise<SimRun> {
  const run = await runOf(simJob);
  checkRun(run);
  return run;
}

async function runOf(simJob: SimJob): Promise<SimRun> {
  const world = new SimWorld(simJob.seed);
  const sources = new Map<number, SourceRecord>();
  const sinks = new Map<number, SinkRecord>();
  const definition = job('simulated', (flow) => {
    buildFlow(flow, simJob.nodes, {
      source: (node) => {
        const record = { taken: [], opened: 0, closed: 0, waits: 0, failed: false };
        sources.set(node.id, record);
        return simSource(node, world, record);
      },
      sink: (node) => {
        const record: SinkRecord = {
          written: [],
          opened: 0,
          closed: 0,
          refusals: 0,
          prepared: 0,
          committed: 0,
          commits: 0,
          aborts: 0,
          failed: false,
        };
        sinks.set(node.id, record);
        return simSink(node, world, record);
      },
    });
  });
  const { plan, deployment } = await deployIn(definition, simJob, {
    'aggregate.preAggregateKeys': simJob.preAggregateKeys,
    ...latencyTracking(simJob.seed),
  });
  const given: SimCommand['what'][] = [];
  const states: string[] = [];
  const execution = new Execution(plan, deployment, null, world.disk);
  const listening = listen(execution, states);
  PROBE.looks = () => world.looks;
  PROBE.pendingItems = 0;
  execution.attach(startInThread(plan, deployment, execution, world));
  world.onLook = (looks) => command(simJob, execution, looks, given);
  const outcome = await execution.finished.then(
    (result) => ({ result, error: null }),
    (error: unknown) => ({ result: null, error }),
  );
  await listening;
  const pendingItems = PROBE.pendingItems;
  return {
    job: simJob,
    plan,
    deployment,
    world,
    execution,
    sources,
    sinks,
    given,
    states,
    ...outcome,
    pendingItems,
  };
}

async function listen(execution: Execution, states: string[]): Promise<void> {
  for await (const event of execution.events()) {
    if (event.type === 'state') states.push(event.state);
  }
}

/** Gives the commands that are due; what the user's program would do from a callback at that instant. */
function command(
  simJob: SimJob,
  execution: Execution,
  looks: number,
  given: SimCommand['what'][],
): void {
  for (const { at, what } of simJob.commands) {
    if (at !== looks) continue;
    given.push(what);
    if (what === 'cancel') execution.cancel();
    else void execution.stop({ drain: what === 'drain' }).catch(() => {});
  }
}
