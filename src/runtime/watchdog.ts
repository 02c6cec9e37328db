/**
 * Sees in shared memory which operator of which subtask runs and for how long, so that a function that never
 * returns, or takes its thread down, is named. Callers: `coordination.ts`. Runs on: the coordinator's thread.
 */
import type { Clock } from '../base/clock.js';
import { type ErrorWhere, fromWire, MillraceError, toWire } from '../base/errors.js';
import { formatDuration } from '../base/units.js';
import type { PhysicalPlan } from '../graph/physical-plan.js';
import { readTaskMetrics } from '../metrics/read-task-metrics.js';
import type { CoordinatorEvent, RunEvent } from './coordinator.js';
import type { CoordinationStart, WatchedSubtask } from './messages.js';

/** What the watchdog needs of the coordinator's start data. */
export type WatchdogParts = Pick<CoordinationStart, 'metrics' | 'watched' | 'stallTimeoutMs'>;

interface Sighting {
  progress: number;
  sinceMs: number;
  isReported: boolean;
}

/** Lists the subtasks of a plan in the order of their metrics blocks. */
export function watchedSubtasks(plan: PhysicalPlan): readonly WatchedSubtask[] {
  let metricsIndex = 0;
  return plan.vertices.flatMap((vertex) =>
    vertex.slots.map((slot, subtask) => ({
      slot,
      metricsIndex: metricsIndex++,
      vertexName: vertex.name,
      vertexUid: vertex.uid,
      subtask,
      operators: vertex.operators.map(({ spec }) => ({ name: spec.name, uid: spec.uid })),
    })),
  );
}

/** Watches the subtasks of a run. */
export class Watchdog {
  readonly #parts: WatchdogParts;
  readonly #clock: Clock;
  readonly #sightings: Sighting[];

  constructor(parts: WatchdogParts, clock: Clock) {
    this.#parts = parts;
    this.#clock = clock;
    this.#sightings = parts.watched.map(() => ({ progress: -1, sinceMs: 0, isReported: false }));
  }

  /** Looks at every subtask once; an event for each that has not returned within the stall timeout. */
  look(): readonly CoordinatorEvent[] {
    const { stallTimeoutMs, watched, metrics } = this.#parts;
    if (stallTimeoutMs === 0) return [];
    const nowMs = this.#clock.monotonicMs();
    const events: CoordinatorEvent[] = [];
    for (const [index, subtask] of watched.entries()) {
      const seen = readTaskMetrics(metrics, subtask.metricsIndex, nowMs);
      const sighting = this.#sightings[index];
      if (seen.entryMs === null || seen.progress !== sighting.progress) {
        this.#sightings[index] = { progress: seen.progress, sinceMs: nowMs, isReported: false };
      } else if (nowMs - sighting.sinceMs > stallTimeoutMs && !sighting.isReported) {
        sighting.isReported = true;
        events.push({ kind: 'slotStalled', slot: subtask.slot, error: this.#stalled(subtask) });
      }
    }
    return events;
  }

  /** The same event, with the operator named where a thread ended in the middle of a step. */
  describe(event: RunEvent): RunEvent {
    if (event.kind !== 'slotExited') return event;
    const where = this.#inStep(event.slot);
    if (event.error !== null) {
      const error = fromWire(event.error);
      return { ...event, error: toWire(MillraceError.is(error) ? error.at(where) : error) };
    }
    const name = where.operator ?? 'the job';
    const error = new MillraceError('TASK_EXITED', `The thread ended while ${name} was running.`, {
      where,
      advice: 'Functions of a job must not call process.exit; throw an error to fail the job.',
    });
    return { ...event, error: toWire(error) };
  }

  /** Coordinates of the step that a slot is in, or was in when its thread ended. */
  #inStep(slot: number): ErrorWhere {
    for (const subtask of this.#parts.watched) {
      if (subtask.slot !== slot) continue;
      const seen = readTaskMetrics(this.#parts.metrics, subtask.metricsIndex, 0);
      if (seen.entryMs !== null) return whereOf(subtask, seen.currentOperator);
    }
    return {};
  }

  #stalled(subtask: WatchedSubtask): ReturnType<typeof toWire> {
    const { currentOperator } = readTaskMetrics(this.#parts.metrics, subtask.metricsIndex, 0);
    const where = whereOf(subtask, currentOperator);
    return toWire(
      new MillraceError(
        'TASK_STALLED',
        `${where.operator ?? subtask.vertexName} has not returned for more than ` +
          `${formatDuration(this.#parts.stallTimeoutMs)}.`,
        { where, advice: 'Look for an endless loop in its function, or raise task.stallTimeout.' },
      ),
    );
  }
}

function whereOf(subtask: WatchedSubtask, operator: number | null): ErrorWhere {
  const found = operator === null ? undefined : subtask.operators[operator];
  return {
    operator: found?.name ?? subtask.vertexName,
    uid: found?.uid ?? subtask.vertexUid,
    subtask: subtask.subtask,
  };
}
