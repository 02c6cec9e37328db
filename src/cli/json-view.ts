/**
 * The JSON lines of `--json`: one object a line on standard output, each with a `type`: `plan` first, then `progress`
 * and `badRecord`, at the end `result` or `error`. Callers: the run command, the reporter of errors. Runs on: the main
 * thread. Invariant: nothing else reaches standard output; what the print sink or the job's functions write goes to
 * standard error.
 */
import { type WireError, toWire } from '../base/errors.js';
import { explainPlan } from '../graph/explain.js';
import type { JobExecution, JobResult } from '../runtime/execution.js';
import type { BadRecordReport } from '../runtime/messages.js';
import type { RunMetricsSnapshot } from '../runtime/metrics-snapshot.js';
import { hookWrites, type WriteHook } from './write-hook.js';

/** Writes JSON lines. */
export interface JsonOutput {
  line(value: { readonly type: string }): void;
  release(): void;
}

/** Takes over standard output. */
export function openJsonOutput(): JsonOutput {
  const hook: WriteHook = hookWrites(process.stdout, (text) => process.stderr.write(text));
  return {
    line: (value) => hook.writeRaw(`${JSON.stringify(value)}\n`),
    release: () => hook.release(),
  };
}

const PROGRESS_MS = 1000;
/** Bytes of a bad record that are shown. */
const BYTES_SHOWN_MAX = 1024;

/** Reports a run until the returned function is called. */
export function reportRun(execution: JobExecution, output: JsonOutput): () => void {
  output.line({ type: 'plan', ...{ plan: explainPlan(execution.plan) } });
  const timer = setInterval(() => {
    output.line({ type: 'progress', ...progressOf(execution.metrics()) });
  }, PROGRESS_MS);
  return () => clearInterval(timer);
}

/** The line of a bad record. */
export function badRecordLine({ bytes, error, ...place }: BadRecordReport): {
  readonly type: 'badRecord';
} {
  const text = new TextDecoder().decode(bytes.subarray(0, BYTES_SHOWN_MAX));
  const isCut = bytes.length > BYTES_SHOWN_MAX;
  return { type: 'badRecord', ...place, ...{ text, isCut, error: withoutStack(error) } };
}

/** The last line of a run that finished. */
export function resultLine(result: JobResult): { readonly type: 'result' } {
  return { type: 'result', ...result };
}

/** The last line of a run that did not finish, and the only one of a call that is wrong. */
export function errorLine(error: unknown): { readonly type: 'error' } {
  return { type: 'error', ...{ error: toWire(error) } };
}

/** Counters of chains and edges; those of every subtask are in the result. */
function progressOf({ elapsedMs, vertices, edges }: RunMetricsSnapshot): object {
  const chains = vertices.map(({ subtasks: _, ...vertex }) => vertex);
  return { elapsedMs, vertices: chains, edges };
}

function withoutStack(error: WireError): WireError {
  return { ...error, stack: null };
}
