/**
 * Plans a run that there is a plan of already: at another parallelism, or with what a checkpoint has settled. Callers:
 * further attempts of a job, what tells of restores and rescaling. Runs on: the caller's thread. Invariant: what was
 * settled in the earlier plan stays.
 */
import { explainPlan, type PlanExplanation } from '../graph/explain.js';
import type { PhysicalPlan } from '../graph/physical-plan.js';
import { type KeptOfPlan, NOTHING_KEPT } from './plan-options.js';
import { type PlannedRun, planOf, type RunDraft, type RunRequest } from './plan-run.js';
import { uidsOf } from './vertex-uids.js';

/** A run planned at a parallelism that it was not asked for. */
export interface PlannedAt extends PlannedRun {
  readonly request: RunRequest;
}

/**
 * The run at another parallelism of the operators that name none of their own than it has in `current`. The number of
 * key groups of each operator stays. Throws PARALLELISM_INVALID and whatever planning throws.
 */
export function planAt(request: RunRequest, current: PhysicalPlan, parallelism: number): PlannedAt {
  const { settings } = request;
  const counts = current.vertices.flatMap((vertex) =>
    uidsOf(vertex).map((uid) => [uid, vertex.maxParallelism] as const),
  );
  const changed = { ...request, settings: { ...settings, parallelism } };
  const isThreaded = current.slots > 0;
  const kept = { ...NOTHING_KEPT, keyGroups: Object.fromEntries(counts) };
  return planKeeping(changed, { parallelism, isThreaded }, kept);
}

/** The run with more that is settled of operators that are told nothing else. Throws as `planAt`. */
export function planKeeping(
  request: RunRequest,
  { parallelism, isThreaded }: Pick<RunDraft, 'parallelism' | 'isThreaded'>,
  { keyGroups, twoPhases }: KeptOfPlan,
): PlannedAt {
  const { job, params, kept = NOTHING_KEPT } = request;
  const changed = {
    ...request,
    kept: {
      keyGroups: { ...kept.keyGroups, ...keyGroups },
      twoPhases: { ...kept.twoPhases, ...twoPhases },
    },
  };
  return {
    ...planOf(changed, { graph: job.build(params), parallelism, isThreaded }),
    request: changed,
  };
}

/** The plan that `execution.rescale` of a run with this plan would make. Throws PARALLELISM_INVALID. */
export function explainPlanAt(
  request: RunRequest,
  current: PhysicalPlan,
  parallelism: number,
): PlanExplanation {
  return explainPlan(planAt(request, current, parallelism).plan);
}
