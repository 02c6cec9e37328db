import { col, collectSink, type Flow, job, ndjson, run } from 'millrace';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const directory = mkdtempSync(join(tmpdir(), 'millrace-source-filter-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Event {
  readonly id: number;
  readonly kind: string;
}

const ROWS = 30_000;
const CUT = 7001;
const input = join(directory, 'events.ndjson');
// The last thousand are all that is wanted of the second half; one row among the others is cut off.
const lines = Array.from({ length: ROWS }, (_, id) => {
  const kind = id % 100 === 0 && (id < ROWS / 2 || id >= ROWS - 1000) ? 'bid' : 'other';
  const line = `${JSON.stringify({ id, kind, filler: 'x'.repeat(100) })}\n`;
  return id === CUT ? `${line.slice(0, 60)}\n` : line;
});
writeFileSync(input, lines.join(''));
const wanted = Array.from({ length: ROWS / 100 }, (_, index) => index * 100).filter(
  (id) => id < ROWS / 2 || id >= ROWS - 1000,
);

async function idsOf(options: object) {
  const rows = collectSink<{ id: number }>();
  const definition = job('filtered', (flow: Flow) => {
    const events = flow.from(ndjson<Event>(input, { onError: 'skip', ...options }));
    events.filter(col('kind').eq('bid')).select('id').to(rows);
  });
  const { metrics } = await run(definition, { runtime: 'in-thread', parallelism: 1 });
  const [source] = metrics.vertices;
  const ids = rows.rows.map(({ id }) => id);
  return { ids, read: source.rowsIn, bad: source.badRecords };
}

describe('a filter right behind a file', () => {
  it('leaves results and counts as they are where the reader takes it', async () => {
    expect(await idsOf({})).toEqual({ ids: wanted, read: ROWS - 1, bad: 1 });
    expect(await idsOf({ splitBytes: '64kb' })).toMatchObject({ ids: wanted, read: ROWS - 1 });
  });

  it('has nothing left unchecked in full mode', async () => {
    expect(await idsOf({ validate: 'full' })).toEqual({ ids: wanted, read: ROWS - 1, bad: 1 });
  });
});
