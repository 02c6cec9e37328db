/**
 * Sinks written by users as functions of records: backpressure, flushing and errors of the sink
 * contract, done for them. Callers: the api. Runs on: the slot's thread (the caller's when `host`).
 * Invariant: one call of `write` is under way at a time, and nothing is taken from the job while it
 * is, so a slow target slows the job.
 */
import { freshId } from '../../base/random.js';
import { checkArgument, checkOptionsObject } from '../check-arguments.js';
import type { PlainData, SinkConnector } from '../contract.js';
import { type CustomSink, customFault, type TwoPhaseSink } from './custom-sink.js';

/**
 * A sink out of functions. With `commit`, and writers with `prepareCommit`, it shows every record exactly once;
 * without, records since the last checkpoint come again after a failure.
 *
 * @example
 * const alerts = defineSink<Alert>({
 *   name: 'alerts',
 *   open: () => ({ write: (records) => post('/alerts', records) }),
 * });
 */
export function defineSink<T, C = never>(
  sink: CustomSink<T> | TwoPhaseSink<T, C>,
): SinkConnector<T> {
  checkOptionsObject('defineSink', sink);
  const twoPhase = 'commit' in sink ? sink : null;
  const isRight = typeof sink.open === 'function';
  checkArgument('defineSink', 'open', sink.open, isRight, 'Give the function open(context).');
  return {
    kind: 'sink',
    type: 'custom',
    name: sink.name,
    host: sink.host ?? false,
    parallelism: sink.parallelism ?? null,
    guarantee: sink.guarantee ?? (twoPhase === null ? 'at-least-once' : 'exactly-once'),
    columns: sink.columns ?? null,
    plan: newRun,
    open: async (context) => {
      try {
        const { openTarget } = await import('./record-writer.js');
        return await openTarget(sink, context, runOf(context.plan));
      } catch (cause) {
        throw customFault(cause, sink.name);
      }
    },
    ...(twoPhase === null ? {} : secondPhase(twoPhase)),
  };
}

function secondPhase<T, C>(
  sink: TwoPhaseSink<T, C>,
): Pick<SinkConnector, 'commit' | 'resume' | 'abort'> {
  return {
    // What a writer of this sink prepared comes back as it was.
    commit: (committables, { baseDirectory, plan }) =>
      sink.commit(committables as readonly C[], { baseDirectory, runId: runOf(plan) }),
    resume: async ({ baseDirectory, kept, isOwn, plan }) => {
      if (!isOwn) return newRun();
      const runId = runOf(plan);
      await sink.rollback?.({ baseDirectory, runId, kept: kept as readonly C[] });
      return runId === '' ? newRun() : plan;
    },
    abort: (plan, { baseDirectory, kept }) =>
      sink.rollback?.({ baseDirectory, runId: runOf(plan), kept: kept as readonly C[] }),
  };
}

/** What sinks of this kind decide: who their output belongs to. */
function newRun(): PlainData {
  return { runId: freshId() };
}

/** Checkpoints of earlier versions hold none. */
function runOf(plan: PlainData): string {
  const isNamed = typeof plan === 'object' && plan !== null && 'runId' in plan;
  return isNamed ? String(plan.runId) : '';
}
