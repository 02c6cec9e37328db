/**
 * What planning found out about the functions of a job, for the slots, which would have to load a parser to find the
 * same. Callers: `deploy.ts`, `slot-thread.ts`. Runs on: the caller's thread, which tells; the slot's, which learns.
 */
import type { PhysicalPlan } from '../graph/physical-plan.js';
import { type BrevityReading, brevityOf, learnBrevity } from '../operator/lambda-brevity.js';
import { type LambdaReading, learnReadings, readingsOf } from '../operator/lambda-fields.js';
import type { AggregateSpec, UserFunction } from '../operator/operator-spec.js';

/** Plain data. */
export interface LambdaReadings {
  readonly fields: readonly LambdaReading[];
  readonly brevity: readonly BrevityReading[];
}

/** The readings of all functions of a plan. */
export function lambdaReadings(plan: PhysicalPlan): LambdaReadings {
  const functions: UserFunction[] = [];
  for (const { operators } of plan.vertices) {
    for (const { spec } of operators) {
      if ('fn' in spec) functions.push(spec.fn);
      if (spec.kind === 'join' && spec.apply !== null) functions.push(spec.apply);
      if (spec.kind === 'asyncWait') functions.push(...spec.readers);
      if (spec.kind === 'aggregate') functions.push(...spec.aggregates.flatMap(adderOf));
    }
  }
  for (const { partitioner } of plan.edges) {
    if (partitioner.kind === 'custom') functions.push(partitioner.fn);
  }
  return { fields: readingsOf(functions), brevity: brevityOf(functions) };
}

function adderOf(aggregate: AggregateSpec): readonly UserFunction[] {
  return aggregate.fn === 'user' ? [aggregate.aggregator.add] : [];
}

/** Takes over what the caller's thread found. */
export function learnLambdas({ fields, brevity }: LambdaReadings): void {
  learnReadings(fields);
  learnBrevity(brevity);
}
