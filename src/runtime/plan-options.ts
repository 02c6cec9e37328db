/**
 * What the settings of a run ask of its plan, the same on the caller's thread and in every slot, so that all make the
 * same plan. Callers: `plan-run.ts`, `slot-thread.ts`. Runs on: any thread; pure.
 */
import type { PlanOptions } from '../graph/plan.js';
import type { Settings } from './settings.js';

/** What a plan keeps of the one that it goes on from, by the uid of the operator. */
export interface KeptOfPlan {
  /** Numbers of key groups. */
  readonly keyGroups: Readonly<Record<string, number>>;
  /** Whether an aggregation has two phases. */
  readonly twoPhases: Readonly<Record<string, boolean>>;
}

/** Of a plan that goes on from none. */
export const NOTHING_KEPT: KeptOfPlan = { keyGroups: {}, twoPhases: {} };

/** The options of the plan but for the parallelism, which is worked out once and then told. */
export function planOptionsOf(
  settings: Settings,
  params: unknown,
  kept: KeptOfPlan = NOTHING_KEPT,
): Omit<PlanOptions, 'parallelism'> {
  return {
    maxParallelism: settings.maxParallelism,
    settledMaxParallelism: kept.keyGroups,
    settledPhases: kept.twoPhases,
    params,
    preAggregate: settings['aggregate.preAggregateKeys'] > 0,
  };
}
