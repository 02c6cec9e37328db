/**
 * A run as JSON lines: the plan, progress, bad records, the result. Callers: the run command. Runs on: the main thread.
 */
import { explainPlan } from '../graph/explain.js';
import type { JobExecution } from '../runtime/execution.js';
import type { BadRecordReport } from '../runtime/messages.js';
import type { RunMetricsSnapshot } from '../runtime/metrics-snapshot.js';
import type { JsonOutput } from './json-output.js';
import type { RunView } from './run-view.js';

const PROGRESS_MS = 1000;
/** Bytes of a bad record that are shown. */
const BYTES_SHOWN_MAX = 1024;

/** Writes the plan now and progress every second, until it is closed. */
export function jsonView(execution: JobExecution, output: JsonOutput): RunView {
  output.line('plan', { plan: explainPlan(execution.plan) });
  const timer = setInterval(() => {
    output.line('progress', progressOf(execution.metrics()));
  }, PROGRESS_MS);
  return { say: () => {}, close: () => clearInterval(timer) };
}

/** The members of a line about a bad record; its bytes as text, and whether that is all of them. */
export function badRecordMembers({ bytes, error, ...place }: BadRecordReport): object {
  const text = new TextDecoder().decode(bytes.subarray(0, BYTES_SHOWN_MAX));
  const { code, message, advice } = error;
  return { ...place, text, isWhole: bytes.length <= BYTES_SHOWN_MAX, code, message, advice };
}

/** Counters of chains and edges; those of every subtask are in the result. */
function progressOf({ elapsedMs, vertices, edges }: RunMetricsSnapshot): object {
  const chains = vertices.map(({ subtasks: _, ...vertex }) => vertex);
  return { elapsedMs, vertices: chains, edges };
}
