/**
 * `millrace explain`: the plan of a job, as text or JSON. Callers: `main.ts`. Runs on: the main thread.
 */
import { explainJob } from '../runtime/explain-job.js';
import { type JobCallOptions, jobCall } from './job-call.js';

/** Prints the plan; the exit code. */
export async function explainCommand(module: string, options: JobCallOptions): Promise<number> {
  const call = await jobCall(module, options);
  const explained = explainJob({ ...call, baseDirectory: process.cwd(), signal: null });
  if (options.json === true) process.stdout.write(`${JSON.stringify(explained.plan)}\n`);
  else process.stdout.write(`${explained.text}\n`);
  return 0;
}
