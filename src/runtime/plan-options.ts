/**
 * What the settings of a run ask of its plan, the same on the caller's thread and in every slot, so that all make the
 * same plan. Callers: `plan-run.ts`, `slot-thread.ts`. Runs on: any thread; pure.
 */
import type { PlanOptions } from '../graph/plan.js';
import type { Settings } from './settings.js';

/** The options of the plan but for the parallelism, which is worked out once and then told. */
export function planOptionsOf(
  settings: Settings,
  params: unknown,
): Omit<PlanOptions, 'parallelism'> {
  return {
    maxParallelism: settings.maxParallelism,
    params,
    preAggregate: settings['aggregate.preAggregateKeys'] > 0,
  };
}
