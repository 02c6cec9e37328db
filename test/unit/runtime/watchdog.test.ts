import { describe, expect, it } from 'vitest';
import { fromWire, MillraceError, toWire } from '../../../src/base/errors.js';
import { metricsBytes } from '../../../src/metrics/metrics-layout.js';
import { TaskMetricsWriter } from '../../../src/metrics/task-metrics.js';
import { Watchdog } from '../../../src/runtime/watchdog.js';
import { StillClock } from './runtime-harness.js';

function watch(stallTimeoutMs: number) {
  const metrics = new SharedArrayBuffer(metricsBytes(2, 0));
  const clock = new StillClock();
  clock.nowMs = 1000;
  const watched = [0, 1].map((slot) => ({
    slot,
    metricsIndex: slot,
    vertexName: `chain ${slot}`,
    vertexUid: `uid ${slot}`,
    subtask: 0,
    operators: [{ name: `operator ${slot}`, uid: `operator-uid ${slot}` }],
  }));
  const writers = watched.map(({ metricsIndex }) => new TaskMetricsWriter(metrics, metricsIndex));
  return { clock, writers, watchdog: new Watchdog({ metrics, watched, stallTimeoutMs }, clock) };
}

describe('Watchdog', () => {
  it('names the operator whose function does not return, once', () => {
    const { clock, writers, watchdog } = watch(500);
    writers[1].enter(clock.nowMs);
    writers[1].control[0] = 0;
    const events = Array.from({ length: 12 }, () => {
      clock.nowMs += 100;
      return watchdog.look();
    }).flat();
    expect(events).toMatchObject([{ kind: 'slotStalled', slot: 1 }]);
    const [event] = events;
    if (event.kind !== 'slotStalled') throw new Error('It is of that kind.');
    const error = fromWire(event.error) as MillraceError;
    expect(error.code).toBe('TASK_STALLED');
    expect(error.message).toContain('500 ms');
    expect(error.where).toEqual({ operator: 'operator 1', uid: 'operator-uid 1', subtask: 0 });
  });

  it('is content as long as steps end, however long they take together', () => {
    const { clock, writers, watchdog } = watch(500);
    for (let turn = 0; turn < 50; turn++) {
      writers[0].enter(clock.nowMs);
      clock.nowMs += 400;
      expect(watchdog.look()).toEqual([]);
      writers[0].leave();
      writers[0].enter(clock.nowMs);
      clock.nowMs += 90;
      expect(watchdog.look()).toEqual([]);
    }
  });

  it('does not take a parked subtask for a stalled one', () => {
    const { clock, writers, watchdog } = watch(500);
    writers[0].enter(clock.nowMs);
    writers[0].leave();
    clock.nowMs += 100_000;
    expect([...watchdog.look(), ...watchdog.look()]).toEqual([]);
  });

  it('looks at nothing when the timeout is off', () => {
    const { clock, writers, watchdog } = watch(0);
    writers[0].enter(clock.nowMs);
    clock.nowMs += 1e9;
    expect([...watchdog.look(), ...watchdog.look()]).toEqual([]);
  });

  it('names the operator in which a thread ended, for a cause that is known and one that is not', () => {
    const { clock, writers, watchdog } = watch(0);
    writers[1].enter(clock.nowMs);
    writers[1].control[0] = 0;
    const unknown = watchdog.describe({ kind: 'slotExited', slot: 1, error: null });
    expect(unknown).toMatchObject({
      error: { code: 'TASK_EXITED', where: { operator: 'operator 1' } },
    });
    const known = toWire(new MillraceError('MEMORY_EXHAUSTED', 'heap'));
    expect(watchdog.describe({ kind: 'slotExited', slot: 1, error: known })).toMatchObject({
      error: { code: 'MEMORY_EXHAUSTED', where: { operator: 'operator 1', subtask: 0 } },
    });
    expect(watchdog.describe({ kind: 'slotReady', slot: 1 })).toEqual({
      kind: 'slotReady',
      slot: 1,
    });
  });

  it('says so when a thread ended outside of any step', () => {
    const { watchdog } = watch(0);
    const event = watchdog.describe({ kind: 'slotExited', slot: 0, error: null });
    expect(event).toMatchObject({ error: { code: 'TASK_EXITED', where: {} } });
  });
});
