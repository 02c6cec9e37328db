/**
 * `millrace run`: runs a job to its end with a live view on a terminal, plain lines elsewhere, JSON lines on
 * request. Callers: `main.ts`. Runs on: the main thread. Invariant: results go to standard output, everything
 * about the run to standard error, so that a pipe gets records only.
 */
import { MillraceError } from '../base/errors.js';
import { freshSeed } from '../base/random.js';
import type { PhysicalPlan } from '../graph/physical-plan.js';
import type { JobExecution, JobResult } from '../runtime/execution.js';
import { functionLine, type JobLogLine } from '../rest/job-log-line.js';
import { explainPlanText } from '../runtime/explain-job.js';
import { startRun } from '../runtime/start-run.js';
import { BadRecords } from './bad-records.js';
import { type CommandContext, reportCallError } from './command-context.js';
import {
  type CheckpointingEvent,
  checkpointingLine,
  finishedBeforeLine,
} from './checkpointing-line.js';
import { errorReport } from './error-report.js';
import { EXIT_BROKEN_PIPE, EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK } from './exit-codes.js';
import { onInterrupts } from './interrupts.js';
import { type JobCall, jobCall } from './job-call.js';
import { badRecordMembers, jsonView } from './json-view.js';
import { logText } from './log-text.js';
import { openingLines } from './opening.js';
import type { RunOptions } from './program.js';
import { LiveView, PlainView, type RunView, shortNames, viewedExecution } from './run-view.js';
import { processScreen } from './screen.js';
import { type RunEnd, summaryLines } from './summary.js';
import { verboseReport } from './verbose-report.js';
import { viewModel } from '../runtime/view-model.js';
import { chainTable } from './view-table.js';

/** Runs the job; the exit code. Throws what is wrong with the call, the configuration or the job. */
export async function runCommand(
  module: string,
  options: RunOptions,
  context: CommandContext,
): Promise<number> {
  if (options.detached === true) {
    throw new MillraceError('OPTION_INVALID', 'Only a job of a server can be left to itself.', {
      advice: 'Name the server with --server, or leave out --detached.',
    });
  }
  const call = withSeed(await jobCall(module, options));
  if (options.plan === true) {
    const { restorePlanCommand } = await import('./restore-plan-command.js');
    return restorePlanCommand(call, context);
  }
  const request = { ...call, baseDirectory: process.cwd(), signal: null, awaitsEnd: true };
  // Kept, so that what sources and sinks refuse can be shown at the line that made them.
  const planned: PhysicalPlan[] = [];
  let execution: JobExecution;
  try {
    execution = await startRun(request, (plan) => planned.push(plan));
  } catch (error) {
    const [plan] = planned;
    if (plan === undefined) throw error;
    return reportCallError(error, context, plan);
  }
  return new RunSession(execution, call, options, context).run();
}

/** The seed is drawn here, so that `--verbose` can print it and the run can be repeated. */
function withSeed(call: JobCall): JobCall {
  const { settings } = call;
  return { ...call, settings: { ...settings, seed: settings.seed ?? freshSeed() } };
}

/** Columns of the summary where there is no terminal to ask. */
const PLAIN_COLUMNS = 100;
/** More lines than any table has. */
const ALL_LINES = 10_000;

/** One run from its first line to its last. */
class RunSession {
  readonly #execution: JobExecution;
  readonly #call: JobCall;
  readonly #isVerbose: boolean;
  readonly #context: CommandContext;
  readonly #badRecords = new BadRecords(process.cwd());

  constructor(
    execution: JobExecution,
    call: JobCall,
    options: RunOptions,
    context: CommandContext,
  ) {
    this.#execution = execution;
    this.#call = call;
    this.#isVerbose = options.verbose === true;
    this.#context = context;
  }

  async run(): Promise<number> {
    const { json } = this.#context;
    const view = json === null ? this.#openView() : jsonView(this.#execution, json);
    const events = this.#followEvents(json === null ? view : null);
    const { restored } = this.#execution;
    if (restored !== null)
      this.#tell({ type: 'restored', ...restored }, json === null ? view : null);
    const interrupts = onInterrupts({
      cancel: (message) => {
        if (message !== null) view.say(message);
        this.#execution.cancel();
      },
    });
    const startedMs = this.#execution.metrics().elapsedMs;
    try {
      const result = await this.#execution.finished;
      await events;
      this.#end(view, result);
      return EXIT_OK;
    } catch (error) {
      await events;
      if (interrupts.isPipeBroken) return EXIT_BROKEN_PIPE;
      this.#fail(view, error, startedMs);
      return interrupts.isInterrupted && isCanceled(error) ? EXIT_INTERRUPTED : EXIT_FAILED;
    } finally {
      view.close([]);
      interrupts.release();
    }
  }

  #openView(): RunView {
    const { stderr, style, isLive } = this.#context;
    const text = this.#isVerbose ? explainPlanText(this.#execution.plan) : null;
    const columns = isLive ? stderr.columns || PLAIN_COLUMNS : PLAIN_COLUMNS;
    for (const line of openingLines(this.#execution.plan, text, columns, style)) {
      stderr.write(`${line}\n`);
    }
    if (!isLive) return new PlainView(viewedExecution(this.#execution), stderr);
    return new LiveView(viewedExecution(this.#execution), processScreen(this.#context), style);
  }

  /** What concerns checkpoints and restarts. */
  #tell(event: CheckpointingEvent, view: RunView | null): void {
    const { json } = this.#context;
    const { type, ...members } = event;
    if (json !== null) json.line(type, members);
    const line = checkpointingLine(event, process.cwd());
    if (line !== null) view?.say(line);
  }

  async #followEvents(view: RunView | null): Promise<void> {
    for await (const event of this.#execution.events()) {
      if (event.type === 'badRecord') {
        this.#badRecords.add(event.record);
        this.#context.json?.line('badRecord', badRecordMembers(event.record));
      } else if (event.type === 'log') {
        this.#log(functionLine(event.line, event.attempt));
      } else if (event.type !== 'state') {
        this.#tell(event, view);
      }
    }
  }

  /** Above the view, as everything that is written. */
  #log(line: JobLogLine): void {
    const { json, stderr, style } = this.#context;
    if (json !== null) json.line('log', line);
    else stderr.write(`${logText(line, style)}\n`);
  }

  #end(view: RunView, result: JobResult): void {
    const { json } = this.#context;
    if (json !== null) {
      json.line('result', result);
      return;
    }
    if (result.hadFinishedMs !== null) {
      view.close([finishedBeforeLine(result.hadFinishedMs)]);
      return;
    }
    const lines = this.#block('finished', result.durationMs);
    if (this.#isVerbose) lines.push('', ...verboseReport(result, this.#call.settings));
    view.close(lines);
  }

  #fail(view: RunView, error: unknown, startedMs: number): void {
    const { json, stderr, style } = this.#context;
    if (json !== null) {
      json.error(error);
      return;
    }
    const durationMs = this.#execution.metrics().elapsedMs - startedMs;
    view.close(this.#block(isCanceled(error) ? 'canceled' : 'failed', durationMs));
    if (isCanceled(error)) return;
    const { plan } = this.#execution;
    stderr.write(`\n${errorReport(error, { style, plan, directory: process.cwd() })}\n`);
  }

  /** What stays of the view: on a terminal the table with averages over the whole run, then the summary. */
  #block(end: RunEnd, durationMs: number): string[] {
    const { isLive, stderr, style } = this.#context;
    const metrics = shortNames(this.#execution.metrics());
    const width = (isLive ? stderr.columns || PLAIN_COLUMNS : PLAIN_COLUMNS) - 1;
    const { plan } = this.#execution;
    const total = metrics.vertices.reduce((sum, vertex) => sum + vertex.badRecords, 0);
    const badRecords = this.#badRecords.groups(total);
    const summary = summaryLines({ plan, end, durationMs, metrics, badRecords }, width, style);
    if (!isLive && !this.#isVerbose) return [...summary];
    const model = viewModel({ ...metrics, elapsedMs: durationMs }, null);
    const look = { width, linesMax: ALL_LINES, style, marked: null };
    // Edges are empty at the end, or hold what nobody will read any more.
    const table = chainTable({ ...model, edges: [] }, look);
    const block = [...table.map((line) => line.text), '', ...summary];
    return isLive ? ['', ...block] : block;
  }
}

function isCanceled(error: unknown): boolean {
  return MillraceError.is(error) && error.code === 'JOB_CANCELED';
}
