import { describe, expect, it } from 'vitest';
import type { JobResult } from '../../src/runtime/execution.js';
import { fixture, runCli } from './run-cli.js';

/** Much more than the sum may be wrong by for other reasons than the state. */
const KEYS = { numbers: 4_000_000, texts: 2_500_000, objects: 1_600_000 };
const MB = 1e6;

/** By how much a process of its own has grown, and what its ledger knows of. */
async function measure(shape: string, keys: number) {
  const words = ['run', fixture('ledger.mjs'), '--json', '-p', '2', '-D', 'slot.memory=2gb'];
  const params = ['--param', `shape=${shape}`, '--param', `keys=${keys}`];
  const { code, stdout, stderr } = await runCli([...words, ...params]);
  expect(code, stderr).toBe(0);
  const lines = stdout.trimEnd().split('\n');
  const { ledger, resident } = JSON.parse(lines.at(-1) ?? '') as JobResult;
  const rows = ledger.flatMap((part) => part.rows);
  const heldBytes = rows.reduce((sum, { touchedBytes }) => sum + touchedBytes, 0);
  if (resident === null) throw new Error('The job has run.');
  return { grownBytes: resident.mostBytes - resident.beforeBytes, heldBytes };
}

describe('the memory ledger', () => {
  // Beside a run of the same job over next to nothing, so that threads and their code are in both.
  it.each(Object.entries(KEYS))(
    'accounts for what a process with state of %s grows by, within a tenth',
    async (shape, keys) => {
      const tiny = await measure(shape, 100);
      const full = await measure(shape, keys);
      const grown = (full.grownBytes - tiny.grownBytes) / MB;
      const held = (full.heldBytes - tiny.heldBytes) / MB;
      expect(grown).toBeGreaterThan(200);
      expect(Math.abs(grown - held), `grown ${grown} MB, ledger ${held} MB`).toBeLessThan(
        0.1 * grown,
      );
    },
  );

  it('names every holder, and rings as touched only as far as they were written', async () => {
    const { run } = await import('millrace');
    const { bounded } = await import('../fixtures/jobs/sums.mjs');
    const { ledger } = await run(bounded, { parallelism: 2, params: { rows: 2000 } });
    const rows = ledger.flatMap((part) => part.rows);
    const rings = rows.filter(({ purpose }) => purpose === 'ring');
    expect(rings.length).toBeGreaterThan(1);
    // One subtask may have taken all splits, so that a ring has carried nothing but its end.
    expect(rings.some(({ touchedBytes }) => touchedBytes > 384)).toBe(true);
    for (const { reservedBytes, touchedBytes } of rings) {
      expect(touchedBytes).toBeGreaterThanOrEqual(384);
      expect(touchedBytes).toBeLessThan(reservedBytes / 10);
    }
    const state = rows.filter(({ purpose }) => purpose === 'state');
    expect(state.map(({ subtask }) => subtask).sort()).toContain(1);
    for (const { reservedBytes, touchedBytes } of state) {
      expect(reservedBytes).toBeGreaterThan(0);
      expect(touchedBytes).toBeLessThanOrEqual(reservedBytes);
    }
    expect(rows.filter(({ purpose }) => purpose === 'heap').length).toBeGreaterThan(0);
    for (const purpose of ['registry', 'metrics', 'control']) {
      expect(rows.filter((row) => row.purpose === purpose).length).toBe(1);
    }
  });
});
