/**
 * Runs the random jobs of a range of seeds on real threads and compares their results with the reference model. What
 * threads do in which order is not in the seed, so a failure may need several attempts to show again. Callers:
 * `campaign.mjs --threads`, the thread test. Runs on: the main thread.
 */
import { settingsOf } from '../../src/api/run-options.js';
import { describeError, MillraceError } from '../../src/base/errors.js';
import { startRun } from '../../src/runtime/start-run.js';
import type { CampaignOptions } from './campaign.js';
import { checkLoose, compare } from './check-run.js';
import { randomJob } from './random-job.js';
import { evaluate, inputOf, PlannedError, type Row } from './reference-model.js';
import { describeJob, isOrderFree, type SimJob } from './sim-job.js';
import type { Rec } from './sim-records.js';
import { ABORTED, COMMITTED, threadJob } from './thread-job.js';

/** A run that takes longer than this has lost a wake-up. */
const RUN_MS_MAX = 120_000;

/** Runs the seeds in order; gives the number of failures. */
export async function threadCampaign(
  options: CampaignOptions,
): Promise<{ failures: number; missed: readonly string[] }> {
  let failures = 0;
  const outcomes: Record<string, number> = {};
  for (let seed = options.from; seed < options.from + options.count; seed++) {
    const simJob = randomJob(seed);
    try {
      const outcome = await runOnThreads(simJob);
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    } catch (error) {
      failures++;
      const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
      options.print(`SEED=${seed} on threads: ${reason}\n${describeJob(simJob)}`);
      if (failures >= options.failuresMax) break;
    }
  }
  options.print(`${options.count} seeds from ${options.from} on threads: ${failures} failures`);
  options.print(JSON.stringify(outcomes));
  return { failures, missed: [] };
}

async function runOnThreads(simJob: SimJob): Promise<string> {
  COMMITTED.clear();
  ABORTED.clear();
  const execution = await startRun({
    job: threadJob,
    params: { seed: simJob.seed },
    settings: settingsOf({
      runtime: 'threads',
      parallelism: simJob.parallelism,
      seed: simJob.seed,
      slot: { memory: '128mb' },
      settings: {
        'exchange.batchRows': simJob.batchRows,
        'aggregate.preAggregateKeys': simJob.preAggregateKeys,
      },
    }),
    baseDirectory: '/',
    signal: null,
  });
  const cancelAt = simJob.commands.find(({ what }) => what === 'cancel')?.at;
  const cancel =
    cancelAt === undefined ? null : setTimeout(() => execution.cancel(), cancelAt % 200);
  const watch = setTimeout(() => execution.cancel(), RUN_MS_MAX);
  const startMs = performance.now();
  const error = await execution.finished.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  clearTimeout(watch);
  if (cancel !== null) clearTimeout(cancel);
  if (performance.now() - startMs >= RUN_MS_MAX) throw new Error('The run does not end.');
  if (error === null) checkResults(simJob);
  else checkFailure(simJob, error);
  return MillraceError.is(error) ? error.code : 'FINISHED';
}

function checkResults(simJob: SimJob): void {
  const { nodes } = simJob;
  const results = evaluate(nodes, (source) => (source.kind === 'source' ? source.rows : []));
  for (const node of nodes) {
    if (node.kind !== 'sink') continue;
    const written: readonly Row[] | undefined = COMMITTED.get(node.id);
    if (written === undefined) throw new Error(`sink ${node.id} was not committed`);
    const producer = nodes[node.inputs[0].node];
    if (isOrderFree(producer)) compare(node, written, results[node.id], false);
    else checkLoose(producer, written, inputOf(producer, results) as readonly Rec[]);
  }
}

function checkFailure(simJob: SimJob, error: unknown): void {
  if (COMMITTED.size > 0) throw new Error('A run that failed was committed.', { cause: error });
  const sinks = simJob.nodes.filter((node) => node.kind === 'sink').length;
  if (ABORTED.size !== sinks) throw new Error(`${ABORTED.size} of ${sinks} sinks were cleaned up.`);
  const code = MillraceError.is(error) ? error.code : null;
  const { nodes, commands } = simJob;
  if (code === 'JOB_CANCELED' && commands.some(({ what }) => what === 'cancel')) return;
  if (code === 'SOURCE_FAILED' || code === 'SINK_FAILED') {
    if (nodes.some((node) => 'failsAt' in node && node.failsAt !== null)) return;
  }
  const thrower = nodes.find((node) => node.throwsAt !== null);
  if (code === 'USER_FUNCTION_FAILED' && thrower !== undefined) {
    const isThere =
      MillraceError.is(error) && error.where.operator === `${thrower.kind}-${thrower.id}`;
    if (isThere && throwsInModel(simJob)) return;
  }
  throw new Error(`Unexpected failure: ${describeError(error)}`, { cause: error });
}

function throwsInModel({ nodes }: SimJob): boolean {
  try {
    evaluate(nodes, (source) => (source.kind === 'source' ? source.rows : []));
    return false;
  } catch (error) {
    return error instanceof PlannedError;
  }
}
