/**
 * Asks every source and sink of a plan to prepare, before anything else of a run exists. Callers: `launch-run.ts`.
 * Runs on: the caller's thread. Invariant: when one cannot prepare, the sinks that have are told to clean up.
 */
import type { Disk } from '../base/disk.js';
import type { PlainData, ResumeContext, SinkConnector, SourcePlan } from '../connector/contract.js';
import type { SinkCommit } from '../checkpoint/contract.js';
import type { PhysicalPlan, Vertex } from '../graph/physical-plan.js';
import type { OperatorIdentity } from '../operator/operator-spec.js';
import { connectorFailure } from './connector-failure.js';
import { abortSinks, committablesOf } from './sink-commit.js';

/** What sources and sinks have decided, by vertex. */
export interface PreparedConnectors {
  readonly sourcePlans: readonly (SourcePlan | null)[];
  readonly sinkPlans: readonly (readonly PlainData[])[];
}

/** What sources and sinks of an earlier attempt had decided, and what is to be committed first, by vertex. */
export interface RestoredConnectors {
  readonly sourcePlans: readonly (SourcePlan | null | undefined)[];
  readonly sinkPlans: readonly (readonly (RestoredSink | undefined)[])[];
  /** Whether the output that sinks have prepared under these plans is of this job alone. */
  readonly isOwn: boolean;
}

/** A sink that goes on. */
export interface RestoredSink {
  readonly plan: PlainData;
  readonly committables: readonly PlainData[];
}

/**
 * Prepares all connectors; `restored` are those that go on: they keep what they had decided, and sinks make visible
 * what a checkpoint holds and throw away what came after it, but for what savepoints have `kept`. Throws what one of
 * them threw, with the operator it belongs to.
 */
export async function prepareConnectors(
  plan: PhysicalPlan,
  disk: Disk,
  baseDirectory: string,
  restored: RestoredConnectors | null = null,
  kept: readonly SinkCommit[] = [],
): Promise<PreparedConnectors> {
  const sourcePlans: (SourcePlan | null)[] = [];
  const sinkPlans: PlainData[][] = [];
  const world = { disk, baseDirectory, restored, kept };
  try {
    for (const vertex of plan.vertices) {
      const prepared: PlainData[] = [];
      sinkPlans.push(prepared);
      sourcePlans.push(await preparedVertex(plan.jobName, vertex, world, prepared));
    }
  } catch (error) {
    await abortPrepared(plan, { sourcePlans, sinkPlans }, disk, baseDirectory, kept);
    throw error;
  }
  return { sourcePlans, sinkPlans };
}

/** What connectors prepare with. */
export interface PreparingWorld {
  readonly disk: Disk;
  readonly baseDirectory: string;
  readonly restored: RestoredConnectors | null;
  readonly kept: readonly SinkCommit[];
}

/** Prepares the connectors of one vertex: gives what its source has decided, and fills `sinkPlans`. */
export async function preparedVertex(
  jobName: string,
  vertex: Vertex,
  { disk, baseDirectory, restored, kept }: PreparingWorld,
  sinkPlans: PlainData[],
): Promise<SourcePlan | null> {
  const context = { parallelism: vertex.parallelism, disk, baseDirectory };
  const known = restored?.sourcePlans[vertex.id] ?? null;
  const isNew = known === null;
  const planned = isNew ? await sourcePlan(jobName, vertex.source, context) : known;
  for (const [index, { identity, connector }] of vertex.sinks.entries()) {
    const before = restored?.sinkPlans[vertex.id]?.[index];
    const ofSavepoints = committablesOf(identity, kept);
    const sink = { disk, baseDirectory, kept: ofSavepoints };
    const prepare = async (): Promise<PlainData> => {
      if (before !== undefined) {
        return resumeSink(connector, before, { ...sink, isOwn: restored?.isOwn ?? true });
      }
      const plan = await connector.plan(context);
      // A job that begins anew beside its savepoints leaves them what they hold, names included.
      if (ofSavepoints.length === 0 || connector.resume === undefined) return plan;
      return connector.resume({ plan, ...sink, isOwn: false });
    };
    sinkPlans.push(await placed(jobName, identity, 'SINK_FAILED', prepare));
  }
  return declared(vertex.source, planned);
}

async function resumeSink(
  connector: SinkConnector,
  { plan, committables }: RestoredSink,
  world: Omit<ResumeContext, 'plan'>,
): Promise<PlainData> {
  const context = { plan, ...world };
  await connector.commit?.(committables, context);
  return connector.resume === undefined ? plan : connector.resume(context);
}

/** Tells the sinks that have prepared to clean up, because the run does not start for another reason. */
export async function abortPrepared(
  plan: PhysicalPlan,
  { sinkPlans }: PreparedConnectors,
  disk: Disk,
  baseDirectory: string,
  kept: readonly SinkCommit[],
): Promise<void> {
  try {
    await abortSinks({ plan, deployment: { sinkPlans, baseDirectory }, disk, kept });
  } catch {
    // The reason why the run does not start is what the caller needs to know.
  }
}

async function sourcePlan(
  job: string,
  source: PhysicalPlan['vertices'][number]['source'],
  context: { readonly parallelism: number; readonly disk: Disk; readonly baseDirectory: string },
): Promise<SourcePlan | null> {
  if (source === null) return null;
  const { identity, connector } = source;
  return placed(job, identity, 'SOURCE_FAILED', () => connector.plan(context));
}

/** A plan with the schema that the job declares now, which may be another one than when the plan was made. */
function declared(
  source: PhysicalPlan['vertices'][number]['source'],
  plan: SourcePlan | null,
): SourcePlan | null {
  const schema = source?.schema ?? source?.connector.schema ?? null;
  return plan === null || schema === null ? plan : { ...plan, schema };
}

/** What `prepare` gives; an error it throws is thrown on with the operator it belongs to. */
async function placed<T>(
  job: string,
  { name, uid }: OperatorIdentity,
  code: 'SOURCE_FAILED' | 'SINK_FAILED',
  prepare: () => T | Promise<T>,
): Promise<T> {
  try {
    return await prepare();
  } catch (cause) {
    throw connectorFailure(cause, code).at({ job, operator: name, uid });
  }
}
