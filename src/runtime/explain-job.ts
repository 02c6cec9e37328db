/**
 * The plan of a job for people and tools, without running it. Callers: `api/explain-job.ts`, the command line.
 * Runs on: the caller's thread.
 */
import { explainPlan, type PlanExplanation } from '../graph/explain.js';
import { explainText } from '../graph/explain-text.js';
import type { PhysicalPlan } from '../graph/physical-plan.js';
import type { ChainCodeText } from './explain-code.js';
import { planOf, type RunRequest } from './plan-run.js';

/** A plan as data and as text. */
export interface ExplainedJob {
  readonly plan: PlanExplanation;
  readonly text: string;
}

/** Explains the plan that `startRun` would run. Touches neither sources nor sinks. */
export function explainJob(request: RunRequest): ExplainedJob {
  const { plan } = planOf(request);
  return { plan: explainPlan(plan), text: explainText(plan) };
}

/** The generated code of that plan; sources look at their input. */
export async function explainJobCode(request: RunRequest): Promise<readonly ChainCodeText[]> {
  const { explainCode } = await import('./explain-code.js');
  return explainCode(planOf(request).plan, request.settings, request.baseDirectory);
}

/** The text of a plan that is there already. */
export function explainPlanText(plan: PhysicalPlan): string {
  return explainText(plan);
}
