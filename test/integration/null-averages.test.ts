import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { avg, datagen, integers, job, ndjson, run, sequence, sum } from 'millrace';
import { afterAll, describe, expect, it } from 'vitest';

const directory = mkdtempSync(join(tmpdir(), 'millrace-averages-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Row {
  readonly key: number;
  readonly mean: number | null;
  readonly total: number | null;
}

describe('an average of nothing but nulls', () => {
  for (const exact of [false, true]) {
    it(`is null in two phases too, exact ${exact}`, async () => {
      const out = join(directory, String(exact));
      const averages = job('averages', (flow) => {
        flow
          .from(datagen({ rows: 1000, seed: 1, fields: { id: sequence(), key: integers(0, 3) } }))
          .map(({ id, key }) => ({ key, value: key === 2 ? null : id }))
          .keyBy('key')
          .aggregate({ mean: avg('value', { exact }), total: sum('value', { exact }) })
          .to(ndjson(out));
      });
      await run(averages, { runtime: 'in-thread', parallelism: 2 });
      const rows = readdirSync(out).flatMap((name) =>
        readFileSync(join(out, name), 'utf8')
          .trimEnd()
          .split('\n')
          .map((line): Row => JSON.parse(line)),
      );
      expect(rows.length).toBe(4);
      for (const { key, mean, total } of rows) {
        expect([key, mean === null, total === null]).toEqual([key, key === 2, key === 2]);
      }
    });
  }
});
