/**
 * `millrace preview`: runs a job until an operator of it has given some rows, and shows these. Callers: `main.ts`. Runs
 * on: the main thread, the job too. Invariant: no sink of the job is opened, no checkpoint taken or read, and no metric
 * reported, so nothing is written but what functions of the job write themselves.
 */
import { MillraceError } from '../base/errors.js';
import { formatCount } from '../base/units.js';
import { visibleText } from '../connector/print/text-width.js';
import type { PhysicalPlan } from '../graph/physical-plan.js';
import { previewedName, previewGraph } from '../graph/preview-graph.js';
import { functionLine } from '../rest/job-log-line.js';
import type { JobExecution } from '../runtime/execution.js';
import type { RunnableJob } from '../runtime/job-import.js';
import type { Settings } from '../runtime/settings.js';
import { startRun } from '../runtime/start-run.js';
import { viewModel } from '../runtime/view-model.js';
import { type CommandContext, reportCallError } from './command-context.js';
import { errorReport } from './error-report.js';
import { EXIT_BROKEN_PIPE, EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK } from './exit-codes.js';
import { onInterrupts } from './interrupts.js';
import { jobCall } from './job-call.js';
import { logText } from './log-text.js';
import { PreviewSink } from './preview-sink.js';
import type { PreviewOptions } from './program.js';

const LIMIT_DEFAULT = 20;
const LIMIT_MAX = 100_000;

/** Shows the rows; the exit code. Throws what is wrong with the call, the configuration or the job. */
export async function previewCommand(
  module: string,
  options: PreviewOptions,
  context: CommandContext,
): Promise<number> {
  const limit = limitOf(options.limit);
  const { json } = context;
  const { job, params, settings } = await jobCall(module, options);
  const full = new AbortController();
  const graph = job.build(params);
  const at = previewedName(graph, options.at ?? null);
  const sink = new PreviewSink({ limit, title: at, json, onFull: () => full.abort() });
  const previewed: RunnableJob = {
    name: job.name,
    module: job.module,
    isImportable: job.isImportable,
    build: () => previewGraph(graph, options.at ?? null, sink),
  };
  const planned: PhysicalPlan[] = [];
  let execution: JobExecution;
  try {
    const request = {
      job: previewed,
      params,
      settings: settingsOf(settings),
      baseDirectory: process.cwd(),
      signal: full.signal,
      awaitsEnd: true,
    };
    execution = await startRun(request, (plan) => planned.push(plan));
  } catch (error) {
    const [plan] = planned;
    if (plan === undefined) throw error;
    return reportCallError(error, context, plan);
  }
  return show(execution, { at, sink, isFull: () => full.signal.aborted }, context);
}

/** As the job, on one thread and without anything that outlives it. */
function settingsOf(settings: Settings): Settings {
  return {
    ...settings,
    runtime: 'in-thread',
    isolate: 'none',
    'execution.checkpointing.interval': null,
    'execution.stateRecovery.path': null,
    'restartStrategy.type': 'none',
    'metrics.reporters': {},
  };
}

/** What is shown of a job. */
interface Shown {
  readonly at: string;
  readonly sink: PreviewSink;
  isFull(): boolean;
}

async function show(
  execution: JobExecution,
  shown: Shown,
  context: CommandContext,
): Promise<number> {
  const { json, stderr, style } = context;
  const interrupts = onInterrupts({
    cancel: (message) => {
      if (message !== null) stderr.write(`${message}\n`);
      execution.cancel();
    },
  });
  const logged = followLog(execution, context);
  let exitCode: number = EXIT_OK;
  try {
    await execution.finished;
  } catch (error) {
    if (interrupts.isPipeBroken) exitCode = EXIT_BROKEN_PIPE;
    else if (interrupts.isInterrupted) exitCode = EXIT_INTERRUPTED;
    else if (!shown.isFull() || !isCanceled(error)) {
      await logged;
      if (json !== null) json.error(error);
      else {
        const { plan } = execution;
        stderr.write(`${errorReport(error, { style, plan, directory: process.cwd() })}\n`);
      }
      return EXIT_FAILED;
    }
  } finally {
    interrupts.release();
  }
  await logged;
  conclude(execution, shown, context);
  return exitCode;
}

/** What functions of the job log, as `run` shows it. */
async function followLog(
  execution: JobExecution,
  { json, stderr, style }: CommandContext,
): Promise<void> {
  for await (const event of execution.events()) {
    if (event.type !== 'log') continue;
    const line = functionLine(event.line, event.attempt);
    if (json !== null) json.line('log', line);
    else stderr.write(`${logText(line, style)}\n`);
  }
}

function conclude(
  execution: JobExecution,
  { at, sink: { rows }, isFull }: Shown,
  { json, stderr, style }: CommandContext,
): void {
  const metrics = execution.metrics();
  const read = viewModel(metrics, null).progress.rows;
  const badRecords = metrics.vertices.reduce((sum, vertex) => sum + vertex.badRecords, 0);
  if (json !== null) {
    json.line('preview', { operator: at, rows, read, badRecords, isWhole: !isFull() });
    return;
  }
  const bad = badRecords === 0 ? '' : `, ${counted(badRecords, 'bad record')}`;
  const text =
    `${counted(rows, 'row')} of ${visibleText(at)}, ` +
    `${counted(read, 'row')} read${bad}; nothing was written`;
  stderr.write(`${style.dim(text)}\n`);
}

function counted(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

function limitOf(given: string | undefined): number {
  if (given === undefined) return LIMIT_DEFAULT;
  const limit = Number(given);
  if (/^\d+$/.test(given) && limit >= 1 && limit <= LIMIT_MAX) return limit;
  throw new MillraceError('OPTION_INVALID', `--limit is ${JSON.stringify(given)}.`, {
    advice: `Write a whole number from 1 to ${formatCount(LIMIT_MAX)}.`,
  });
}

function isCanceled(error: unknown): boolean {
  return MillraceError.is(error) && error.code === 'JOB_CANCELED';
}
