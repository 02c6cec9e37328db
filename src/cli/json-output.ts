/**
 * The JSON lines of `--json`: one object a line on standard output, told apart by `type`. Callers: the commands. Runs
 * on: the main thread. Invariant: nothing else reaches standard output; what the print sink or the functions of a job
 * write goes to standard error.
 */
import { toWire } from '../base/errors.js';
import { hookWrites } from './write-hook.js';

/** Writes JSON lines. */
export interface JsonOutput {
  /** A line of its type; the other members follow. */
  line(type: string, members: object): void;
  /** The last line of what went wrong. */
  error(error: unknown): void;
}

/** Takes over standard output until the process ends. */
export function openJsonOutput(): JsonOutput {
  const hook = hookWrites(process.stdout, (text) => process.stderr.write(text));
  const line = (type: string, members: object): void =>
    hook.writeRaw(`${JSON.stringify({ type, ...members })}\n`);
  return { line, error: (error) => line('error', { error: toWire(error) }) };
}
