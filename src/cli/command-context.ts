/**
 * What every command is given: where it writes, with which colours, for whom. Callers: `main.ts` makes it once. Runs
 * on: the main thread.
 */
import type { WriteStream } from 'node:tty';
import type { PhysicalPlan } from '../graph/physical-plan.js';
import { exitCodeOfCall } from './exit-codes.js';
import { type JsonOutput, openJsonOutput } from './json-output.js';
import { type Style, styleFor } from './style.js';

/** An output of the process: a terminal, a pipe or a file. */
export type OutputStream = Pick<WriteStream, 'write'> &
  Partial<Pick<WriteStream, 'isTTY' | 'columns' | 'rows'>>;

/** Where a command writes. */
export interface CommandContext {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  /** Of standard error. */
  readonly style: Style;
  /** Whether a block can be redrawn in place on standard error. */
  readonly isLive: boolean;
  /** Writes the lines of `--json`; null without. */
  readonly json: JsonOutput | null;
}

/** The context of this process. */
export function commandContext(
  streams: { readonly stdout: OutputStream; readonly stderr: OutputStream },
  environment: NodeJS.ProcessEnv,
  isJson: boolean,
): CommandContext {
  const { stdout, stderr } = streams;
  const isTTY = stderr.isTTY === true;
  const style = styleFor({ isTTY, environment });
  const json = isJson ? openJsonOutput() : null;
  return { stdout, stderr, style, isLive: canRedraw(isTTY, environment), json };
}

/** Tells what was wrong with a call before anything has run; the exit code. `plan` is null while there is none. */
export async function reportCallError(
  error: unknown,
  context: CommandContext,
  plan: PhysicalPlan | null = null,
): Promise<number> {
  const { json, stderr, style } = context;
  if (json !== null) json.error(error);
  else {
    const { errorReport } = await import('./error-report.js');
    const directory = process.cwd();
    stderr.write(`${errorReport(error, { style, plan, directory })}\n`);
  }
  return exitCodeOfCall(error);
}

/** Of standard output. */
export function outputStyle({ stdout }: CommandContext): Style {
  return styleFor({ isTTY: stdout.isTTY === true, environment: process.env });
}

/** Build servers may offer a terminal that nobody looks at, and a dumb one cannot move its cursor. */
function canRedraw(isTTY: boolean, environment: NodeJS.ProcessEnv): boolean {
  const ci = environment['CI'] ?? '';
  const isCi = ci !== '' && ci !== '0' && ci !== 'false';
  return isTTY && !isCi && environment['TERM'] !== 'dumb';
}
