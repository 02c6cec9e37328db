/**
 * Which states a process function declares, by opening it without a job: what it is given declares states of no key,
 * and it is closed again at once. Callers: `restored-function-states.ts`. Runs on: the caller's thread. Invariant: no
 * record is given to the function, and it keeps nothing.
 */
import { NO_LOG } from '../base/function-log.js';
import { unreachable } from '../base/assert.js';
import { metricGroup } from '../metrics/user-metrics.js';
import type { ProcessOperator } from '../operator/chain-process.js';
import type { OpenProcess, ProcessContext, TimerService } from '../operator/process-function.js';
import { CurrentKey } from '../state/key-context.js';
import { type DeclaredState, KeyedStateStore } from '../state/keyed-state.js';
import { OperatorStateStore } from '../state/operator-state.js';
import { sketchMetrics } from './sketch-metrics.js';

type AnyOpenProcess = OpenProcess<unknown, unknown, unknown, unknown>;

const NO_TIMERS: TimerService = {
  registerEventTime() {},
  registerProcessingTime() {},
  deleteEventTime() {},
  deleteProcessingTime() {},
  currentWatermark: Number.NEGATIVE_INFINITY,
  currentProcessingTime: 0,
};

/** Where the function would run. */
export interface DeclaringVertex {
  readonly job: string;
  readonly parallelism: number;
  readonly maxParallelism: number;
}

/** What the function declares; null for those of the engine, and those that cannot be opened without a job. */
export function declaredStates(
  { uid, open, about }: ProcessOperator,
  { job, parallelism, maxParallelism }: DeclaringVertex,
): readonly DeclaredState[] | null {
  if (about !== undefined) return null;
  const state = new KeyedStateStore({
    uid,
    context: new CurrentKey(null, maxParallelism),
    openTable: () => unreachable(uid as never, 'table of a state of no key'),
    eventTimeMs: () => Number.NEGATIVE_INFINITY,
  });
  const context: ProcessContext = {
    state,
    operatorState: new OperatorStateStore(uid, () => true),
    subtask: 0,
    parallelism,
    log: NO_LOG,
    countLate() {},
    metrics: metricGroup({ place: sketchMetrics(job), owner: 0 }),
    timerService: () => NO_TIMERS,
  };
  try {
    // No function of the engine, which alone asks for more.
    const fn = open as (context: ProcessContext) => ReturnType<AnyOpenProcess>;
    fn(context).close?.();
  } catch {
    return null;
  }
  return state.declarations;
}
