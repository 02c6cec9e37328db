/**
 * The first lines of a run: the plan in one line, and what its author should know. Callers: the run command. Runs on:
 * the main thread; pure.
 */
import { fitText } from '../connector/print/text-width.js';
import { explainPlan } from '../graph/explain.js';
import type { PhysicalPlan } from '../graph/physical-plan.js';
import type { Style } from './style.js';

/** More warnings are left to `explain`. */
const WARNINGS_MAX = 3;

/** `planText` is the whole plan, which is shown instead of its summary; null for the summary. */
export function openingLines(
  plan: PhysicalPlan,
  planText: string | null,
  columns: number,
  style: Style,
): readonly string[] {
  if (planText !== null) return [planText, ''];
  const { guarantee } = explainPlan(plan);
  const chains = counted(plan.vertices.length, 'chain');
  const where = plan.slots === 0 ? 'on this thread' : `in ${counted(plan.slots, 'slot')}`;
  const head = `${plan.jobName}: ${chains} ${where}, ${guarantee}`;
  const shown = plan.warnings.slice(0, WARNINGS_MAX).map((warning) => {
    return style.dim(fitText(`note: ${warning}`, columns - 1));
  });
  const left = plan.warnings.length - shown.length;
  const more = left > 0 ? [style.dim(`note: ${left} more in \`millrace explain\``)] : [];
  return [style.bold(fitText(head, columns - 1)), ...shown, ...more];
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
