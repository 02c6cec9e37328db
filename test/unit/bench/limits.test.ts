import { readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { differenceOf, sortedAnswer } from '../../../bench/lib/answer.mjs';
import { prepareInput } from '../../../bench/lib/inputs.mjs';
import { run as chain } from '../../../bench/limits/chain.mjs';
import { run as csvGroupBy } from '../../../bench/limits/csv-groupby.mjs';
import { run as exchange } from '../../../bench/limits/exchange.mjs';
import { run as ndjsonGroupBy } from '../../../bench/limits/ndjson-groupby.mjs';
import { run as parquetGroupBy } from '../../../bench/limits/parquet-groupby.mjs';
import { run as wordcount } from '../../../bench/limits/wordcount.mjs';
import { run as duckdb } from '../../../bench/rivals/duckdb.mjs';
import { run as nodeChain } from '../../../bench/rivals/node-streams-chain.mjs';
import { run as postMessageExchange } from '../../../bench/rivals/post-message-exchange.mjs';
import { run as rxjsChain } from '../../../bench/rivals/rxjs-chain.mjs';
import { benchCase as parquetCase } from '../../../bench/cases/parquet-groupby.mjs';

type Outcome = Awaited<ReturnType<typeof chain>>;

/** Enough for several chunks, so that lines across their borders are tried. */
const ROWS = 30_000;
const made: string[] = [];

function requestFor(kind: 'ndjson' | 'csv' | 'text' | null) {
  const input = kind === null ? null : prepareInput({ kind, rows: ROWS, seed: 42 });
  if (input !== null) made.push(input.path, `${input.path}.size`);
  return { rows: ROWS, input, threads: 2, seed: 42, options: {} };
}

async function answerOf(running: Promise<Outcome>) {
  const { answer } = await running;
  if (answer === null) throw new Error('There is no answer.');
  return answer();
}

function linesOf(path: string | undefined): string[] {
  return readFileSync(path ?? '', 'utf8')
    .trimEnd()
    .split('\n');
}

afterAll(() => {
  for (const path of made) rmSync(path, { force: true });
});

describe('limits', () => {
  it('sum JSON and CSV up as JSON.parse does', async () => {
    const request = requestFor('ndjson');
    const groups = new Map<string, [string, number, number]>();
    for (const { city, price, quantity } of linesOf(request.input?.path).map((l) =>
      JSON.parse(l),
    )) {
      const group = groups.get(city) ?? [city, 0, 0];
      groups.set(city, [city, group[1] + price, group[2] + quantity]);
    }
    const expected = sortedAnswer(groups.values());
    expect(expected).toHaveLength(500);
    expect(differenceOf(expected, await answerOf(ndjsonGroupBy(request)))).toBeNull();
    expect(differenceOf(expected, await answerOf(csvGroupBy(requestFor('csv'))))).toBeNull();
  });

  it('count words as split does', async () => {
    const request = requestFor('text');
    const counts = new Map<string, number>();
    for (const word of linesOf(request.input?.path).flatMap((line) => line.split(' '))) {
      counts.set(word, (counts.get(word) ?? 0) + 1);
    }
    const answer = await answerOf(wordcount(request));
    expect(differenceOf(sortedAnswer(counts), answer)).toBeNull();
  });

  it('give what the rivals give for records in memory', async () => {
    const request = requestFor(null);
    const chained = await answerOf(chain(request));
    expect(await answerOf(rxjsChain(request))).toEqual(chained);
    expect(await answerOf(nodeChain(request))).toEqual(chained);
    const exchanged = await answerOf(exchange(request));
    expect(await answerOf(postMessageExchange(request))).toEqual(exchanged);
    expect(exchanged[0][0]).toBeGreaterThan(1000);
  });

  it('give what DuckDB gives for flights', async () => {
    const { input, rows, contenders } = parquetCase;
    if (typeof input !== 'object') throw new Error('The case reads a file of the repository.');
    const path = fileURLToPath(new URL(`../../../${input.file}`, import.meta.url));
    const request = {
      rows: rows.full,
      input: { path, bytes: 0, rows: input.rows },
      threads: 2,
      seed: 0,
      options: contenders.find(({ name }) => name === 'duckdb')?.options ?? {},
    };
    const expected = await answerOf(duckdb(request));
    expect(expected.length).toBeGreaterThan(10_000);
    expect(differenceOf(expected, await answerOf(parquetGroupBy(request)))).toBeNull();
  });
});
