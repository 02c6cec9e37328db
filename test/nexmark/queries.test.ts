import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from 'millrace';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nexmarkJob } from '../../bench/nexmark/nexmark-job.mjs';
import { Oracle } from '../../bench/nexmark/oracle/oracle.mjs';
import { joinParts, moveOnlyPart } from '../../bench/nexmark/parts.mjs';
import { BUCKETS, QUERIES } from '../../bench/nexmark/query-list.mjs';
import { RESULT_COLUMNS } from '../../bench/nexmark/result-columns.mjs';
import { writeEvents } from '../../bench/nexmark/write-events.mjs';
import { writeCoarseEvents } from './coarse-events.js';

const BEFORE_MIDNIGHT = Date.UTC(2024, 0, 1, 23, 59, 50);

/** Dense over a midnight, the same out of order, and sparse over days. */
const STREAMS = {
  dense: { events: 4000, eventsPerSecond: 200, startMs: BEFORE_MIDNIGHT },
  scattered: {
    events: 4000,
    eventsPerSecond: 200,
    startMs: BEFORE_MIDNIGHT,
    outOfOrder: 100,
    seed: 2,
  },
  sparse: { events: 3000, eventsPerSecond: 0.02, seed: 3 },
};

const queries = Object.keys(QUERIES);
let directory = '';

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'nexmark-queries-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

/** Runs a query and gives the path of its result. */
async function resultOf(query: string, params: object, parallelism: number): Promise<string> {
  const hasBuckets = query in BUCKETS;
  const output = join(directory, hasBuckets ? 'buckets' : 'parts');
  await run(nexmarkJob, {
    params: { query, output, sync: false, ...params },
    parallelism,
    runtime: 'in-thread',
  });
  const path = join(directory, `${query}.csv`);
  const gather = hasBuckets ? joinParts : moveOnlyPart;
  gather(output, path, `${RESULT_COLUMNS[query].join(',')}\n`);
  return path;
}

/** What arrives first is certain only at parallelism 1 where bids are out of order, see the README of bench/nexmark. */
const isByArrival = (query: string, isOutOfOrder: boolean) => query === 'q19' && isOutOfOrder;

describe.each(Object.entries(STREAMS))('over %s events', (name, events) => {
  let input = '';
  let oracle: Oracle;
  const parallelismsOf = (query: string) =>
    isByArrival(query, 'outOfOrder' in events) ? [1] : [1, 2];

  beforeAll(async () => {
    input = join(directory, `${name}.ndjson`);
    await writeEvents(input, events);
    oracle = await Oracle.open(input);
  });
  afterAll(() => oracle.close());

  it.each(queries)('%s gives what DuckDB gives, at parallelism 1 and 2', async (query) => {
    for (const parallelism of parallelismsOf(query)) {
      const path = await resultOf(query, { events, input: null }, parallelism);
      expect(await oracle.difference(query, path)).toBeNull();
    }
  });

  it.each(queries)('%s gives the same from the file', async (query) => {
    const path = await resultOf(query, { events: null, input }, Math.max(...parallelismsOf(query)));
    expect(await oracle.difference(query, path)).toBeNull();
  });
});

it.each([
  ['in order', 0],
  ['out of order', 3000],
])('gives what DuckDB gives where times and prices are often the same, %s', async (_, lateMs) => {
  for (const seed of [1, 2]) {
    const input = join(directory, 'coarse.ndjson');
    writeCoarseEvents(input, 600, seed, lateMs);
    const oracle = await Oracle.open(input);
    for (const query of queries) {
      const parallelism = seed === 1 || isByArrival(query, lateMs > 0) ? 1 : 2;
      const path = await resultOf(query, { events: null, input }, parallelism);
      expect(await oracle.difference(query, path), query).toBeNull();
    }
    oracle.close();
  }
});

it('q10 divides its files by day and minute', async () => {
  const events = { ...STREAMS.dense, events: 2000 };
  rmSync(join(directory, 'buckets'), { recursive: true });
  await resultOf('q10', { events, input: null }, 2);
  const below = (...names: string[]) => readdirSync(join(directory, 'buckets', ...names)).sort();
  expect(below()).toEqual(['day=2024-01-01']);
  expect(below('day=2024-01-01')).toEqual(['minute=23%3A59']);
  expect(below('day=2024-01-01', 'minute=23%3A59')).toContain('part-00000-0.csv');
});

describe('the oracle', () => {
  let oracle: Oracle;

  beforeAll(async () => {
    const input = join(directory, 'few.ndjson');
    await writeEvents(input, { events: 50 });
    oracle = await Oracle.open(input);
  });
  afterAll(() => oracle.close());

  it('knows the columns of every query', async () => {
    const folder = new URL('../../bench/nexmark/oracle/', import.meta.url);
    const names = readdirSync(folder).filter((name) => /^q\d+\.sql$/.test(name));
    expect(names).toHaveLength(24);
    for (const name of names) {
      const query = name.replace('.sql', '');
      writeFileSync(join(directory, 'wrong.csv'), 'nothing\n');
      const columns = RESULT_COLUMNS[query].join(',');
      expect(await oracle.difference(query, join(directory, 'wrong.csv'))).toContain(
        `not ${columns}`,
      );
    }
  });

  it('tells of rows that are missing, too many or different', async () => {
    const path = await resultOf('q2', { events: { events: 50 }, input: null }, 1);
    expect(await oracle.difference('q2', path)).toBeNull();
    const byClock = await resultOf('q12', { events: { events: 50 }, input: null }, 1);
    expect(await oracle.difference('q12', byClock)).toBeNull();
    const once = readFileSync(byClock, 'utf8');
    writeFileSync(byClock, once + once.split('\n').slice(1).join('\n'));
    expect(await oracle.difference('q12', byClock)).toMatch(/unexpected/);
    const whole = readFileSync(
      await resultOf('q0', { events: { events: 50 }, input: null }, 1),
      'utf8',
    );
    const lines = whole.trimEnd().split(/\r?\n/);
    const changed = [
      [lines.slice(0, -1), /missing/],
      [[...lines, lines[1]], /unexpected/],
      [[lines[0], lines[1].replace(/^\d+/, '1'), ...lines.slice(2)], /missing[^]*unexpected +1,/],
    ] as const;
    for (const [rows, message] of changed) {
      writeFileSync(path, `${rows.join('\n')}\n`);
      expect(await oracle.difference('q0', path)).toMatch(message);
    }
  });
});
