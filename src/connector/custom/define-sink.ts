/**
 * Sinks written by users as functions of records: backpressure, flushing and errors of the sink
 * contract, done for them. Callers: the api. Runs on: the slot's thread (the caller's when `host`).
 * Invariant: one call of `write` is under way at a time, and nothing is taken from the job while it
 * is, so a slow target slows the job.
 */
import { checkArgument, checkOptionsObject } from '../check-arguments.js';
import type { SinkConnector } from '../contract.js';
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
    plan: () => null,
    open: async (context) => {
      try {
        const { openTarget } = await import('./record-writer.js');
        return await openTarget(sink, context);
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
    commit: (committables, { baseDirectory }) =>
      sink.commit(committables as readonly C[], { baseDirectory }),
    resume: async ({ baseDirectory, kept, isOwn }) => {
      if (isOwn) await sink.rollback?.({ baseDirectory, kept: kept as readonly C[] });
      return null;
    },
    abort: (_plan, { baseDirectory, kept }) =>
      sink.rollback?.({ baseDirectory, kept: kept as readonly C[] }),
  };
}
