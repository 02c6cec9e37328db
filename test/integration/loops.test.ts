/** Loops over threads: that they end, that they can be stopped, and that what goes round has a bound. */
import { MillraceError, run, start } from 'millrace';
import { describe, expect, it } from 'vitest';
import { components, endless, halves, halving, labels } from '../fixtures/jobs/loops.mjs';

const sorted = (rows: readonly unknown[], by: string) =>
  (rows as readonly Record<string, number>[]).toSorted((a, b) => a[by] - b[by]);

describe('a loop over threads', () => {
  it('goes round as often as a label has to travel', async () => {
    await run(components, { parallelism: 2, params: { vertices: 60 } });
    expect(labels.rows).toEqual([{ label: 0, count: 60 }]);
  });

  it('takes back far more than rings hold', async () => {
    const numbers = 300_000;
    await run(halving, { parallelism: 2, params: { numbers }, slot: { memory: '64mb' } });
    const counts = new Map<number, number>();
    for (let n = 1; n <= numbers; n++) {
      const rounds = Math.floor(Math.log2(n)) + 1;
      counts.set(rounds, (counts.get(rounds) ?? 0) + 1);
    }
    const expected = [...counts].map(([rounds, count]) => ({ rounds, count }));
    expect(sorted(halves.rows, 'rounds')).toEqual(sorted(expected, 'rounds'));
  });

  it('ends when the job is stopped or canceled', async () => {
    for (const how of ['stop', 'cancel'] as const) {
      const execution = await start(endless, { parallelism: 2, params: { copies: 1 } });
      const ended = execution.finished.then(
        () => 'finished',
        (error: unknown) => (MillraceError.is(error) ? error.code : String(error)),
      );
      setTimeout(() => void execution[how](), 300);
      expect(await ended).toBe(how === 'stop' ? 'finished' : 'JOB_CANCELED');
    }
  });

  it('fails by name when what goes round outgrows the memory for state', async () => {
    const growing = run(endless, {
      parallelism: 2,
      params: { copies: 2 },
      slot: { memory: '64mb' },
    });
    const error: unknown = await growing.catch((thrown: unknown) => thrown);
    if (!MillraceError.is(error)) throw error;
    expect(`${error.code}: ${error.message}`).toMatch(/^MEMORY_EXHAUSTED/);
    expect(`${error.message} ${error.advice}`).toContain('slot.managedFraction');
  });
});
