/**
 * `millrace explain`: the plan of a job, as text or JSON. Callers: `main.ts`. Runs on: the main thread.
 */
import { explainJob } from '../runtime/explain-job.js';
import type { CommandContext } from './command-context.js';
import { EXIT_OK } from './exit-codes.js';
import { jobCall } from './job-call.js';
import type { ExplainOptions } from './program.js';

/** Prints the plan; the exit code. */
export async function explainCommand(
  module: string,
  options: ExplainOptions,
  context: CommandContext,
): Promise<number> {
  const call = await jobCall(module, options);
  const explained = explainJob({ ...call, baseDirectory: process.cwd(), signal: null });
  if (context.json !== null) context.json.line('plan', { plan: explained.plan });
  else context.stdout.write(`${explained.text}\n`);
  return EXIT_OK;
}
