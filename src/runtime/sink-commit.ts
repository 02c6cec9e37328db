/**
 * Makes the results of a finished run visible, or throws those of a failed one away. Callers: `execution.ts`. Runs
 * on: the caller's thread, after every writer has ended.
 */
import type { Disk } from '../base/disk.js';
import { MillraceError } from '../base/errors.js';
import type { PhysicalPlan, VertexSink } from '../graph/physical-plan.js';
import type { SinkCommit } from '../checkpoint/contract.js';
import type { Committable, CommitContext } from '../connector/contract.js';
import type { OperatorIdentity } from '../operator/operator-spec.js';
import type { Deployment } from './deployment.js';

/** What commit and abort work on. */
export interface SinkCommitParts {
  readonly plan: PhysicalPlan;
  readonly deployment: Pick<Deployment, 'sinkPlans' | 'baseDirectory'>;
  readonly disk: Disk;
  /** What savepoints hold and nobody has made visible. */
  readonly kept: readonly SinkCommit[];
}

/** Commits every sink, in plan order; what is of one of them goes together. Throws SINK_FAILED naming the sink. */
export async function commitSinks(
  parts: SinkCommitParts,
  commits: readonly SinkCommit[],
): Promise<void> {
  await forEachSink(parts, 'committed', async (sink, vertex, sinkIndex) => {
    const committables = committablesOf(sink.identity, commits);
    await sink.connector.commit?.(committables, contextOf(parts, vertex, sinkIndex));
  });
}

/** Cleans up after every sink that has prepared; one that cannot be cleaned does not keep the others from it. */
export async function abortSinks(parts: SinkCommitParts): Promise<void> {
  await forEachSink(parts, 'cleaned up', async (sink, vertex, sinkIndex) => {
    const prepared = parts.deployment.sinkPlans[vertex]?.length ?? 0;
    if (sinkIndex >= prepared) return;
    const context = contextOf(parts, vertex, sinkIndex);
    await sink.connector.abort?.(context.plan, context);
  });
}

async function forEachSink(
  parts: SinkCommitParts,
  what: string,
  action: (sink: VertexSink, vertex: number, sinkIndex: number) => Promise<void>,
): Promise<void> {
  let first: MillraceError | null = null;
  for (const vertex of parts.plan.vertices) {
    for (const [sinkIndex, sink] of vertex.sinks.entries()) {
      try {
        await action(sink, vertex.id, sinkIndex);
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause);
        first ??= MillraceError.is(cause)
          ? cause.at({ operator: sink.identity.name })
          : new MillraceError('SINK_FAILED', `The sink could not be ${what}: ${reason}`, {
              cause,
              where: { job: parts.plan.jobName, operator: sink.identity.name },
            });
      }
    }
  }
  if (first !== null) throw first;
}

/** What is of one sink, oldest first. */
export function committablesOf(
  { uid }: Pick<OperatorIdentity, 'uid'>,
  commits: readonly SinkCommit[],
): readonly Committable[] {
  return commits.filter((commit) => commit.uid === uid).flatMap((one) => one.committables);
}

function contextOf(parts: SinkCommitParts, vertex: number, sinkIndex: number): CommitContext {
  const { plan, deployment, disk, kept } = parts;
  return {
    plan: deployment.sinkPlans[vertex][sinkIndex],
    kept: committablesOf(plan.vertices[vertex].sinks[sinkIndex].identity, kept),
    disk,
    baseDirectory: deployment.baseDirectory,
  };
}
