import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { run } from 'millrace';
import { describe, expect, it } from 'vitest';
import { keys, results, texts, wide } from '../fixtures/jobs/large.mjs';

const MB = 1024 ** 2;

describe('records that are large', () => {
  it('pass rings far smaller than themselves', async () => {
    for (const [rows, bytes] of [
      [3, 10 * MB],
      [40, MB],
      [500, 50_000],
    ]) {
      await run(texts, { parallelism: 2, params: { rows, bytes } });
      const expected = Array.from({ length: rows }, (_, id) => ({
        id,
        length: bytes,
        ends: `<${id % 10}${id % 10}>`,
      }));
      const byId = (results.rows as readonly { id: number }[]).toSorted((a, b) => a.id - b.id);
      expect(byId).toEqual(expected);
    }
  });

  it('may have hundreds of fields', async () => {
    await run(wide, { parallelism: 2, params: { rows: 1500, fields: 300 } });
    expect(results.rows.length).toBe(1500);
    for (const row of results.rows as readonly Record<string, string | number>[]) {
      expect(Object.keys(row).length).toBe(302);
      expect(row.field_0).toBe(`v${row.id}`);
      expect(row.sum).toBe(Number(row.field_1) + Number(row.field_299));
    }
  });

  it('may bring ten thousand new keys in every frame', async () => {
    const rows = 120_000;
    const settings = { 'exchange.batchRows': 16_384 };
    await run(keys, { parallelism: 2, params: { rows }, settings });
    const quarter = rows / 4;
    const total = (4 * (quarter * (quarter - 1))) / 2;
    expect(results.rows).toEqual([{ one: 1, keys: rows, rows, v: total }]);
  });
});

describe('a subtask that is slower than its source', () => {
  it('holds the source back, and memory does not grow with the input', async () => {
    const script = fileURLToPath(new URL('../fixtures/slow-consumer.mjs', import.meta.url));
    const measure = async (rows: number) => {
      const { stdout } = await promisify(execFile)(process.execPath, [script, String(rows)]);
      return JSON.parse(stdout) as { rssBytes: number; rows: number; backpressuredMs: number };
    };
    const few = await measure(250_000);
    const many = await measure(1_000_000);
    expect(many.rows).toBe(1_000_000);
    expect(many.backpressuredMs).toBeGreaterThan(500);
    // The input grew by 150 MB of text.
    expect(many.rssBytes - few.rssBytes).toBeLessThan(25 * MB);
  });
});
