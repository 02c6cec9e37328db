import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const out = mkdtempSync(join(tmpdir(), 'millrace-examples-'));
afterAll(() => rmSync(out, { recursive: true, force: true }));

const callOf = (name: string, flags: readonly string[]): string[] => [
  join(root, 'dist/cli.js'),
  'run',
  join(root, 'examples', name),
  '-p',
  '2',
  ...flags,
];

/** Runs an example as a user would; what it writes to standard output. */
function runExample(name: string, ...flags: string[]): string {
  return execFileSync(process.execPath, callOf(name, flags), {
    cwd: root,
    encoding: 'utf8',
    timeout: 200_000,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** The same while this thread goes on. */
function startExample(name: string, ...flags: string[]): Promise<unknown> {
  return promisify(execFile)(process.execPath, callOf(name, flags), {
    cwd: root,
    timeout: 200_000,
  });
}

/** The rows of a table that the print sink drew, as trimmed cells. */
function tableOf(output: string): string[][] {
  return output
    .split('\n')
    .filter((line) => line.startsWith('│'))
    .map((line) =>
      line
        .split('│')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
    .slice(1);
}

const linesOf = (directory: string): string[] =>
  readdirSync(directory).flatMap((name) =>
    readFileSync(join(directory, name), 'utf8').trimEnd().split('\n'),
  );

describe('examples', () => {
  it('word-count counts what a plain loop counts', () => {
    const text = readFileSync(join(root, 'examples/data/seasons.txt'), 'utf8').toLowerCase();
    const counts = new Map<string, number>();
    for (const word of text.match(/\p{L}+/gu) ?? []) counts.set(word, (counts.get(word) ?? 0) + 1);
    const table = tableOf(runExample('word-count.ts', '--param', 'limit=1000'));
    expect(new Map(table.map(([word = '', times]) => [word, Number(times)]))).toEqual(counts);
  });

  it('log-roll-up sums what a plain loop sums, and skips the two bad lines', () => {
    const expected = new Map<string, { requests: number; bytes: number }>();
    for (const line of readFileSync(join(root, 'examples/data/access.ndjson'), 'utf8').split(
      '\n',
    )) {
      if (line === '' || line.includes('oops')) continue;
      const { time, status, bytes } = JSON.parse(line);
      const hour = new Date(Math.floor(time / 3_600_000) * 3_600_000);
      const key = `${hour.toISOString().slice(0, 16).replace('T', ' ')},${status}`;
      const group = expected.get(key) ?? { requests: 0, bytes: 0 };
      expected.set(key, { requests: group.requests + 1, bytes: group.bytes + bytes });
    }
    runExample('log-roll-up.ts', '--param', `out=${join(out, 'roll-up')}`);
    const rows = linesOf(join(out, 'roll-up')).filter((line) => !line.startsWith('hour,'));
    const actual = new Map(
      rows.map((line) => {
        const [hour, status, requests, bytes] = line.split(',');
        return [`${hour},${status}`, { requests: Number(requests), bytes: Number(bytes) }];
      }),
    );
    expect(actual).toEqual(expected);
  });

  it('csv-to-parquet writes what DuckDB computes from the same file', async () => {
    runExample('csv-to-parquet.ts', '--param', `out=${join(out, 'orders')}`);
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    const input = `read_csv('${join(root, 'examples/data/orders.csv')}', nullstr = ['', 'n/a'])`;
    const differences = await connection.runAndReadAll(`
      with expected as (
        select "order", lower(trim(customer)) as customer, cast(placed as date) as day,
          quantity * price as amount, if(quantity >= 10, 'bulk', 'single') as size, note
        from ${input} where quantity > 0
      ), actual as (select * from '${join(out, 'orders')}/*.parquet')
      select (select count(*) from expected), (select count(*) from actual), (
        select count(*) from expected join actual using ("order")
        where (expected.customer, expected.day, expected.size) is distinct from
              (actual.customer, actual.day, actual.size)
           or abs(expected.amount - actual.amount) > 1e-9
           or expected.note is distinct from actual.note)`);
    expect(differences.getRows()).toEqual([[428n, 428n, 0n]]);
    connection.closeSync();
  });

  it('connected-components finds the circles that joining sets finds', () => {
    const lines = readFileSync(join(root, 'examples/data/friends.csv'), 'utf8')
      .trimEnd()
      .split('\n');
    let circles: string[][] = [];
    for (const line of lines.slice(1)) {
      const pair = line.split(',');
      const met = circles.filter((circle) => pair.some((name) => circle.includes(name)));
      const joined = [...new Set([...pair, ...met.flat()])].toSorted();
      circles = [...circles.filter((circle) => !met.includes(circle)), joined];
    }
    const expected = circles.map((circle) => [circle[0], String(circle.length)]);
    expect(expected.length).toBeGreaterThan(3);
    const table = tableOf(runExample('connected-components.ts'));
    expect(table.toSorted()).toEqual(expected.toSorted());
  });

  it('custom-source reads both feeds once', () => {
    const total = Array.from({ length: 230 }, (_, id) => (id % 7) + 1).reduce((a, b) => a + b);
    const table = tableOf(runExample('custom-source.ts'));
    expect(table.toSorted()).toEqual([
      ['eu', '230', String(total)],
      ['us', '230', String(total)],
    ]);
  });

  it('custom-sink writes every alert once', () => {
    const path = join(out, 'alerts.ndjson');
    runExample('custom-sink.ts', '--param', `out=${path}`);
    const alerts = readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(alerts.length).toBeGreaterThan(300);
    expect(alerts.every((alert) => alert.level >= 98)).toBe(true);
    expect(new Set(alerts.map((alert) => alert.id)).size).toBe(alerts.length);
  });

  it('custom-aggregate gives a median for every sensor', () => {
    const table = tableOf(runExample('custom-aggregate.ts'));
    expect(table.map(([sensor]) => sensor).toSorted()).toEqual(['1', '2', '3', '4', '5']);
    for (const [, median] of table) expect(Math.abs(Number(median) - 20)).toBeLessThan(3);
  });

  it('customer-lookup asks an HTTP service once for each customer, and again when it is busy', async () => {
    const { service } = await import('../../examples/customer-lookup.js');
    const asked = new Map<string, number>();
    const [answer] = service.listeners('request');
    service.removeAllListeners('request');
    service.on('request', (request, response) => {
      const url = String(request.url);
      const times = (asked.get(url) ?? 0) + 1;
      asked.set(url, times);
      // Each of two subtasks has a cache of its own.
      if (times <= 2) response.writeHead(503).end();
      else answer?.call(service, request, response);
    });
    service.listen(0);
    await once(service, 'listening');
    try {
      const { port } = service.address() as AddressInfo;
      const directory = join(out, 'customers');
      const params = [`url=http://localhost:${port}`, `out=${directory}`];
      await startExample('customer-lookup.ts', ...params.flatMap((param) => ['--param', param]));
      const rows = linesOf(directory).map((line) => JSON.parse(line));
      const text = readFileSync(join(root, 'examples/data/orders.csv'), 'utf8');
      expect(rows.length).toBe(text.trimEnd().split('\n').length - 1);
      const known = new Set(
        rows.map(({ customer, name, country }) => `${customer} ${name} ${country}`),
      );
      expect([...known].toSorted()).toEqual([
        'ada Ada Lovelace GB',
        'barbara Barbara Liskov US',
        'edsger Edsger Dijkstra NL',
        'grace null null',
      ]);
      expect([...asked.keys()].toSorted()).toEqual(
        ['ada', 'barbara', 'edsger', 'grace'].map((name) => `/customers/${name}`),
      );
      for (const times of asked.values()) expect(times).toBeLessThanOrEqual(4);
    } finally {
      service.closeAllConnections();
      service.close();
    }
  });

  it('fastify-handler answers with a summary of the body', async () => {
    const { server } = await import('../../examples/fastify-handler.js');
    const body = [
      { sensor: 'a', celsius: 20 },
      { sensor: 'b', celsius: 5 },
      { sensor: 'a', celsius: 22 },
    ];
    const answers = await Promise.all(
      [1, 2, 3].map(() => server.inject({ method: 'POST', url: '/summary', payload: body })),
    );
    for (const answer of answers) {
      expect(
        answer
          .json()
          .toSorted((x: { sensor: string }, y: { sensor: string }) =>
            x.sensor < y.sensor ? -1 : 1,
          ),
      ).toEqual([
        { sensor: 'a', readings: 2, mean: 21 },
        { sensor: 'b', readings: 1, mean: 5 },
      ]);
    }
    await server.close();
  });
});
