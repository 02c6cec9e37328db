/**
 * Bounds of the parallelism of each chain, as Flink's clients give them, for an engine whose jobs have one parallelism
 * for all operators that name none of their own. Callers: the handlers. Runs on: the server's thread. Invariant: bounds
 * are met by every chain, or nothing is done.
 */
import { MillraceError } from '../base/errors.js';
import { didYouMean } from '../base/nearest-name.js';
import type { PlanExplanation, VertexExplanation } from '../graph/explain.js';
import type { ResourceRequirements } from '../rest/cluster-schemas.js';
import { vertexId } from '../runtime/vertex-id.js';
import { nameOf, slotsOf } from './job-record.js';
import type { ServedJob } from './served-job.js';

type Bounds = ResourceRequirements[string]['parallelism'];

/** From one subtask to as many as there are, by the id of the chain. */
export function resourceRequirements({ record }: ServedJob): ResourceRequirements {
  const bounds = (record.plan?.vertices ?? []).map(({ uid, parallelism }) => [
    vertexId(uid),
    { parallelism: { lowerBound: 1, upperBound: parallelism } },
  ]);
  return Object.fromEntries(bounds);
}

/**
 * The parallelism of the job that meets the bounds: the upper one of the chains that are to change, or as much of it as
 * there are slots for. Rejects with REQUEST_INVALID, with FEATURE_UNSUPPORTED for bounds that only a parallelism for
 * each chain could meet, and with what planning rejects with.
 */
export async function parallelismWithin(
  job: ServedJob,
  required: ResourceRequirements,
): Promise<number> {
  const { plan, submission } = job.record;
  const vertices = plan?.vertices ?? [];
  checkIds(job, vertices, required);
  const [upper, other] = asked(vertices, required);
  if (upper === undefined) return submission.settings.parallelism ?? 1;
  if (other !== undefined) {
    throw unsupported(job, `Chains are to have a parallelism of ${upper} and of ${other}.`);
  }
  const full = await job.planAt(upper);
  const missing = slotsOf(full) - job.slotsWithin;
  if (missing <= 0) return checked(job, full, required, upper);
  const narrower = upper - missing;
  // Too narrow for a chain, the change is refused for its slots by whoever makes it.
  const isTooNarrow = Object.values(required).some(
    ({ parallelism }) => parallelism.lowerBound > Math.max(1, narrower),
  );
  if (isTooNarrow) return checked(job, full, required, upper);
  const narrow = await job.planAt(Math.max(1, narrower));
  return checked(job, narrow, required, Math.max(1, narrower));
}

/** The parallelisms that chains are to have which do not have them. */
function asked(
  vertices: readonly VertexExplanation[],
  required: ResourceRequirements,
): readonly number[] {
  const changed = vertices.flatMap(({ uid, parallelism }) => {
    const bounds = required[vertexId(uid)]?.parallelism;
    return bounds === undefined || bounds.upperBound === parallelism ? [] : [bounds.upperBound];
  });
  return [...new Set(changed)];
}

function checkIds(
  job: ServedJob,
  vertices: readonly VertexExplanation[],
  required: ResourceRequirements,
): void {
  const ids = vertices.map(({ uid }) => vertexId(uid));
  for (const [id, { parallelism }] of Object.entries(required)) {
    const { lowerBound, upperBound } = parallelism;
    if (!ids.includes(id)) {
      throw invalid(job, `The job has no chain ${id}.`, didYouMean(id, ids));
    }
    if (lowerBound > upperBound) {
      const advice = 'Give a lower bound that is at most the upper one.';
      throw invalid(job, `The bounds ${lowerBound} to ${upperBound} hold nothing.`, advice);
    }
  }
  const left = vertices.find(({ uid }) => required[vertexId(uid)] === undefined);
  if (left === undefined) return;
  const advice = 'GET /jobs/:jobid/resource-requirements gives those of all chains.';
  throw invalid(job, `The chain ${left.name}, ${vertexId(left.uid)}, has no bounds.`, advice);
}

/** Chains may be others at another parallelism; those that stay are within their bounds. */
function checked(
  job: ServedJob,
  { vertices }: PlanExplanation,
  required: ResourceRequirements,
  parallelism: number,
): number {
  for (const vertex of vertices) {
    const bounds: Bounds | undefined = required[vertexId(vertex.uid)]?.parallelism;
    if (bounds === undefined) continue;
    const { lowerBound, upperBound } = bounds;
    if (vertex.parallelism >= lowerBound && vertex.parallelism <= upperBound) continue;
    throw unsupported(
      job,
      `In a job at a parallelism of ${parallelism}, the chain ${vertex.name} has ` +
        `${vertex.parallelism} subtasks, not ${lowerBound} to ${upperBound}.`,
    );
  }
  return parallelism;
}

function invalid({ record }: ServedJob, what: string, advice: string): MillraceError {
  return new MillraceError('REQUEST_INVALID', what, { where: { job: nameOf(record) }, advice });
}

function unsupported({ record }: ServedJob, what: string): MillraceError {
  return new MillraceError('FEATURE_UNSUPPORTED', `${what} A job is rescaled as a whole.`, {
    where: { job: nameOf(record) },
    advice: 'Give all chains the same upper bound, but those with a parallelism of their own.',
  });
}
