/**
 * `millrace explain`: the plan of a job, as text or JSON, and with `--code` the generated loops of its chains. Callers:
 * `main.ts`. Runs on: the main thread.
 */
import type { ChainCodeText } from '../runtime/explain-code.js';
import { explainJob, explainJobCode } from '../runtime/explain-job.js';
import type { CommandContext } from './command-context.js';
import { EXIT_OK } from './exit-codes.js';
import { jobCall } from './job-call.js';
import type { ExplainOptions } from './program.js';
import { type Style, styleFor } from './style.js';

/** Prints the plan; the exit code. */
export async function explainCommand(
  module: string,
  options: ExplainOptions,
  context: CommandContext,
): Promise<number> {
  const { json, stdout } = context;
  const call = await jobCall(module, options);
  const request = { ...call, baseDirectory: process.cwd(), signal: null };
  const { plan, text } = explainJob(request);
  const code = options.code === true ? await explainJobCode(request) : null;
  if (json !== null) {
    json.line('plan', code === null ? { plan } : { plan, code });
  } else {
    const style = styleFor({ isTTY: stdout.isTTY === true, environment: process.env });
    const blocks = [text, ...(code ?? []).map((chain) => codeBlock(chain, style))];
    stdout.write(`${blocks.join('\n\n')}\n`);
  }
  if (call.settings['execution.stateRecovery.path'] === null) return EXIT_OK;
  if (json === null) stdout.write('\n');
  const { restorePlanCommand } = await import('./restore-plan-command.js');
  return restorePlanCommand(call, context);
}

/** The functions of a chain below its name, and why there are none or not all. */
export function codeBlock({ vertex, name, code, missing }: ChainCodeText, style: Style): string {
  const parts = [style.bold(`code of [${vertex}] ${name}`)];
  if (code !== null) parts.push(code);
  if (missing !== null) parts.push(style.dim(`// ${missing}`));
  return parts.join('\n');
}
