/**
 * `millrace run --from … --plan` and `millrace explain --from …`: what going on from a checkpoint would mean. Callers:
 * run and explain commands. Runs on: the main thread. Invariant: nothing is run or written.
 */
import { reportRestore } from '../runtime/restore-report.js';
import type { CommandContext } from './command-context.js';
import { EXIT_FAILED, EXIT_OK } from './exit-codes.js';
import type { JobCall } from './job-call.js';
import { restoreLines } from './restore-lines.js';
import { styleFor } from './style.js';

/** Prints the plan; the exit code, 1 when the job would not start or something cannot be read. */
export function restorePlanCommand(call: JobCall, { json, stdout }: CommandContext): number {
  const directory = process.cwd();
  const report = reportRestore({ ...call, baseDirectory: directory, signal: null });
  if (json !== null) json.line('restorePlan', report);
  else {
    const style = styleFor({ isTTY: stdout.isTTY === true, environment: process.env });
    stdout.write(`${restoreLines(report, directory, style).join('\n')}\n`);
  }
  return report.refusals.length + report.unreadable.length === 0 ? EXIT_OK : EXIT_FAILED;
}
