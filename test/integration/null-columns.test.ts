import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { col, collectSink, csv, job, ndjson, parquet, run, type SourceConnector } from 'millrace';
import { afterAll, describe, expect, it } from 'vitest';

const directory = mkdtempSync(join(tmpdir(), 'millrace-nulls-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Row {
  readonly id: number;
  readonly note: string | null;
  readonly tags: readonly (number | null)[];
}

/** Rows whose note is null, and whose tags are empty, for longer than a sample looks. */
const ROWS: readonly Row[] = Array.from({ length: 3000 }, (_, id) => ({
  id,
  note: id < 1500 ? null : `note ${id}`,
  tags: id < 1500 ? [] : [id, null],
}));

function* each(): Generator<Row> {
  yield* ROWS;
}

async function readBack(source: SourceConnector<Row>): Promise<readonly Row[]> {
  const rows = collectSink<Row>();
  await run(
    job('back', (flow) =>
      flow
        .from(source)
        .map((row) => row)
        .to(rows),
    ),
  );
  return rows.rows.toSorted((a, b) => a.id - b.id);
}

describe('columns in which only null was seen at first', () => {
  it('are written as NDJSON and read again, typed by the rows that have a value', async () => {
    const out = join(directory, 'ndjson');
    await run(
      job('out', (flow) =>
        flow
          .from(each())
          .map((row) => row)
          .to(ndjson(out)),
      ),
    );
    expect(await readBack(ndjson<Row>(out, { sampleRows: 10 }).source())).toEqual(ROWS);
    const upper = collectSink();
    const read = job('upper', (flow) =>
      flow
        .from(ndjson<Row>(out, { sampleRows: 10 }))
        .filter(col('note').isNotNull())
        .select({ note: col('note').upper() })
        .to(upper),
    );
    await run(read, { runtime: 'in-thread', parallelism: 1 });
    expect(upper.rows.length).toBe(1500);
    expect(upper.rows[0]).toEqual({ note: 'NOTE 1500' });
  });

  it('are written as Parquet, in a part without and a part with a type, and read as one', async () => {
    const out = join(directory, 'parquet');
    await run(
      job('out', (flow) =>
        flow
          .from(each())
          .map((row) => row)
          .to(parquet(out)),
      ),
    );
    expect(readdirSync(out).length).toBeGreaterThan(1);
    expect(await readBack(parquet<Row>(out).source())).toEqual(ROWS);
  });

  it('are empty cells of CSV', async () => {
    const out = join(directory, 'csv');
    const rows = [
      { a: 1, b: null },
      { a: 2, b: null },
    ];
    await run(
      job('out', (flow) =>
        flow
          .from(rows)
          .map((row) => row)
          .to(csv(out)),
      ),
    );
    const back = collectSink();
    await run(job('back', (flow) => flow.from(csv(out)).to(back)));
    expect(back.rows).toEqual(rows);
  });

  it('may turn out to be of two types, which then is any', async () => {
    const folder = join(directory, 'mixed');
    mkdirSync(folder);
    const values = [...new Array<null>(200).fill(null), 1, 'one'];
    const lines = values.map((value) => JSON.stringify({ value })).join('\n');
    writeFileSync(join(folder, 'mixed.ndjson'), `${lines}\n`);
    const rows = collectSink();
    await run(job('mixed', (flow) => flow.from(ndjson(folder, { sampleRows: 5 })).to(rows)));
    expect(rows.rows).toEqual(values.map((value) => ({ value })));
  });
});
