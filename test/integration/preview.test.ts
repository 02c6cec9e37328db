import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCli, startCli } from './run-cli.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const JOB = `
import { col, count, csv, datagen, deadLetter, integers, job, ndjson } from 'millrace';

export const orders = job('orders', (flow, { fails = false }) => {
  const read = flow.from(
    ndjson('orders.ndjson', { onError: deadLetter(csv('out/letters')) }),
    { name: 'read' },
  );
  const dear = read.filter(col('price').gt(10), { name: 'dear' });
  dear.to(csv('out/dear'), { name: 'dear orders' });
  dear
    .map(({ item, price }) => {
      if (fails) throw new TypeError('told to fail');
      return { item, price };
    }, { name: 'named' })
    .keyBy('item')
    .aggregate({ orders: count() }, { name: 'totals' })
    .to(csv('out/totals'), { name: 'totals out' });
});

export const endless = job('endless', (flow) => {
  flow
    .from(datagen({ rows: 'unbounded', rowsPerSecond: 1000, fields: { id: integers(1, 5) } }), {
      name: 'ids',
    })
    .map(({ id }) => ({ id, twice: id * 2 }), { name: 'doubled' })
    .to(csv('out/endless'), { name: 'ids out' });
});
`;

describe('millrace preview', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-preview-'));
    mkdirSync(join(directory, 'node_modules'));
    symlinkSync(root, join(directory, 'node_modules', 'millrace'));
    writeFileSync(join(directory, 'jobs.mjs'), JOB);
    const lines = Array.from({ length: 50 }, (_, at) =>
      JSON.stringify({ item: `item${at % 5}`, price: at }),
    );
    writeFileSync(join(directory, 'orders.ndjson'), `${['{broken', ...lines].join('\n')}\n`);
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const preview = (...words: readonly string[]) =>
    runCli(['preview', 'jobs.mjs', ...words], { cwd: directory });
  /** What is there afterwards but what was there before. */
  const left = (): string[] =>
    readdirSync(directory).filter(
      (name) => !/^(node_modules|jobs\.mjs|orders\.ndjson)$/.test(name),
    );

  it('shows what the first sink would get, and writes nothing', async () => {
    const { code, stdout, stderr } = await preview('--job', 'orders', '--limit', '3');
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stdout.split('\n')).toEqual([
      'dear orders',
      '┌───────┬───────┐',
      '│ item  │ price │',
      '├───────┼───────┤',
      '│ item1 │    11 │',
      '│ item2 │    12 │',
      '│ item3 │    13 │',
      '└───────┴───────┘',
      '',
    ]);
    expect(stderr).toContain('3 rows of dear orders');
    expect(stderr).toContain('1 bad record; nothing was written');
    expect(left()).toEqual([]);
  });

  it.each([
    ['totals out', 5, true],
    ['totals', 5, true],
    ['named', 7, false],
    ['read', 7, false],
  ])('shows what comes out of %s', async (at, rows, isWhole) => {
    const { code, stdout } = await preview('--job', 'orders', '--at', at, '--limit', '7', '--json');
    expect(code).toBe(0);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const records = lines.filter(({ type }) => type === 'record');
    expect(records).toHaveLength(rows);
    expect(lines.at(-1)).toMatchObject({
      type: 'preview',
      operator: at,
      rows,
      isWhole,
      badRecords: 1,
    });
    if (at.startsWith('totals')) {
      const orders = records.map(({ record }) => record.orders);
      expect(orders.toSorted()).toEqual([7, 8, 8, 8, 8]);
    }
    expect(left()).toEqual([]);
  });

  it('ends a job that has no end when it has enough', async () => {
    const { code, stdout } = await preview('--job', 'endless');
    expect(code).toBe(0);
    expect(stdout.match(/│ +\d+ │ +\d+ │/g)).toHaveLength(20);
    expect(left()).toEqual([]);
  });

  it('shows what there is when it is interrupted', async () => {
    const words = ['preview', 'jobs.mjs', '--job', 'endless', '--limit', '100000'];
    const started = startCli(words, { cwd: directory });
    await started.seen('├');
    started.child.kill('SIGINT');
    const { code, stdout, stderr } = await started.finished;
    expect(code).toBe(130);
    expect(stdout).toMatch(/└─+┴─+┘\n$/);
    expect(stderr).toContain('nothing was written');
    expect(left()).toEqual([]);
  });

  it('says why a job fails, and what is wrong with a call', async () => {
    const failing = await preview('--job', 'orders', '--at', 'totals', '--param', 'fails=true');
    expect(failing.code).toBe(1);
    expect(failing.stderr).toContain('told to fail');
    const unknown = await preview('--job', 'orders', '--at', 'totls');
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain('Did you mean "totals"?');
    for (const limit of ['0', '-1', 'all', '1e9']) {
      const wrong = await preview('--job', 'orders', '--limit', limit);
      expect(wrong.code).toBe(2);
      expect(wrong.stderr).toContain('OPTION_INVALID');
    }
    expect(left()).toEqual([]);
  });
});
