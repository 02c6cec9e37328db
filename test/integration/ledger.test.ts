import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { LedgerRow } from '../../src/memory/ledger.js';
import { describe, expect, it } from 'vitest';

interface Measured {
  readonly rssBytes: number;
  readonly heapBytes: number;
  readonly touchedBytes: number;
  readonly rows: readonly LedgerRow[];
}

describe('the memory ledger', () => {
  it('accounts for the growth of the process within a tenth', async () => {
    const script = fileURLToPath(new URL('../fixtures/measure-ledger.mjs', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [script]);
    const { base, full } = JSON.parse(stdout) as { base: Measured; full: Measured };
    const grown = full.rssBytes - base.rssBytes;
    const heap = full.heapBytes - base.heapBytes;
    const accounted = full.touchedBytes - base.touchedBytes + heap;
    const MB = 1e6;
    const figures = `grown ${grown / MB} MB, ledger and heap ${accounted / MB} MB`;
    expect(grown, figures).toBeGreaterThan(60 * MB);
    expect(Math.abs(grown - accounted), figures).toBeLessThan(0.1 * grown);
  });

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
      expect(touchedBytes).toBe(reservedBytes);
      expect(touchedBytes).toBeGreaterThan(0);
    }
    for (const purpose of ['registry', 'metrics', 'control']) {
      expect(rows.filter((row) => row.purpose === purpose).length).toBe(1);
    }
  });
});
