/** Whole jobs about time in simulated time: idle, finishing, lagging, paused and blocked inputs. */
import { describe, expect, it } from 'vitest';
import { simulateTime, type TimeRun } from './simulate-time.js';
import { timeJob } from './time-job.js';

/** The seeds of every `npm test`. */
const SEEDS = { from: 1, count: 200 };

/** Situations that some seed must bring about. */
const RARE: Readonly<Record<string, (run: TimeRun) => boolean>> = {
  'an input was idle': (run) => run.wasIdle,
  'rows were late': (run) => run.lateRows > 0,
  'a split was paused': (run) => run.pausedSplits > 0,
  'calls were given up': ({ calls }) => calls.timedOut > 0,
  'calls were repeated': ({ calls }) => calls.repeated > 0,
  'rows were found while others were looked up': ({ calls }) => calls.shared > 0,
  'an input was blocked for longer than its idle timeout': (run) =>
    run.wasBlockedLong && !run.job.mayBeLate,
};

describe('whole jobs in simulated time', () => {
  it('give what the model gives, whatever is idle, slow or blocked', async () => {
    const replay = process.env['SEED'];
    const { from, count } = replay === undefined ? SEEDS : { from: Number(replay), count: 1 };
    const failures: string[] = [];
    const reached = new Set<string>();
    for (let seed = from; seed < from + count && failures.length < 3; seed++) {
      try {
        const run = await simulateTime(timeJob(seed));
        for (const [name, is] of Object.entries(RARE)) if (is(run)) reached.add(name);
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error));
      }
    }
    expect(failures).toEqual([]);
    if (replay === undefined) expect([...reached].toSorted()).toEqual(Object.keys(RARE).toSorted());
  });

  it('repeat exactly from their seed', async () => {
    for (let seed = 2000; seed < 2010; seed++) {
      const [first, second] = [
        await simulateTime(timeJob(seed)),
        await simulateTime(timeJob(seed)),
      ];
      expect([second.looks, [...second.rows]]).toEqual([first.looks, [...first.rows]]);
    }
  });
});
