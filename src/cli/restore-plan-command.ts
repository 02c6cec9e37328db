/**
 * `millrace run --from … --plan` and `millrace explain --from …`: what going on from a checkpoint would mean. Callers:
 * run, submit and explain commands. Runs on: the main thread. Invariant: nothing is run or written.
 */
import { type RestorePlan, restorePlanOf } from '../rest/restore-schemas.js';
import { isImpossible } from '../rest/restore-text.js';
import { reportRestore } from '../runtime/restore-report.js';
import type { CommandContext } from './command-context.js';
import { EXIT_FAILED, EXIT_OK } from './exit-codes.js';
import type { JobCall } from './job-call.js';
import { restoreLines } from './restore-lines.js';
import { styleFor } from './style.js';

/** Prints the plan; the exit code, 1 when the job would not start or something cannot be read. */
export function restorePlanCommand(call: JobCall, context: CommandContext): number {
  const report = reportRestore({ ...call, baseDirectory: process.cwd(), signal: null });
  return tellRestorePlan(restorePlanOf(report), context);
}

/** Prints a plan that was made here or by a server. */
export function tellRestorePlan(plan: RestorePlan, { json, stdout }: CommandContext): number {
  if (json !== null) json.line('restorePlan', plan);
  else {
    const style = styleFor({ isTTY: stdout.isTTY === true, environment: process.env });
    stdout.write(`${restoreLines(plan, process.cwd(), style).join('\n')}\n`);
  }
  return isImpossible(plan) ? EXIT_FAILED : EXIT_OK;
}
