/**
 * What planning found out about the functions of a job, for the slots, which would have to load a parser to find the
 * same. Callers: `deploy.ts`. Runs on: the caller's thread.
 */
import type { PhysicalPlan } from '../graph/physical-plan.js';
import { type LambdaReading, readingsOf } from '../operator/lambda-fields.js';
import type { UserFunction } from '../operator/operator-spec.js';

/** The readings of all functions of a plan. */
export function lambdaReadings(plan: PhysicalPlan): readonly LambdaReading[] {
  const functions: UserFunction[] = [];
  for (const { operators } of plan.vertices) {
    for (const { spec } of operators) if ('fn' in spec) functions.push(spec.fn);
  }
  for (const { partitioner } of plan.edges) {
    if (partitioner.kind === 'custom') functions.push(partitioner.fn);
  }
  return readingsOf(functions);
}
