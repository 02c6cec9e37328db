import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const out = mkdtempSync(join(tmpdir(), 'millrace-flights-'));
afterAll(() => rmSync(out, { recursive: true, force: true }));

const source = join(root, 'node_modules/vega-datasets/data/flights-3m.parquet');

/** Differences between our result and DuckDB's answer to the same question, both ways. */
const DIFFERENCES = `
  with expected as (
    select origin, cast(date as date) as day, count(*) as flights,
           avg(delay) as mean_delay, max(delay) as worst_delay
    from '${source}' group by all
  ), actual as (
    select origin, day, flights, meanDelay as mean_delay, worstDelay as worst_delay
    from read_csv('${out}/daily/*.csv', header = true, columns = {
      origin: 'VARCHAR', day: 'DATE', flights: 'BIGINT', meanDelay: 'DOUBLE', worstDelay: 'DOUBLE'
    })
  )
  select count(*) as groups, count(actual.flights) as matched, count(expected.flights) as wanted,
    count(*) filter (
      where actual.flights is distinct from expected.flights
         or actual.worst_delay is distinct from expected.worst_delay
         or abs(actual.mean_delay - expected.mean_delay) > 1e-9
         or (actual.mean_delay is null) <> (expected.mean_delay is null)
    ) as different
  from expected full outer join actual
    on expected.origin = actual.origin and expected.day = actual.day`;

describe('the flights job of npm start', () => {
  it('gives every group that DuckDB gives on the same file', async () => {
    const cli = join(root, 'dist/cli.js');
    const job = join(root, 'examples/flights.ts');
    const output = execFileSync(
      process.execPath,
      [cli, 'run', job, '-p', '2', '--param', `out=${join(out, 'daily')}`],
      { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 200_000 },
    );
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    const answer = await connection.runAndReadAll(DIFFERENCES);
    const [row] = answer.getRowObjects();
    expect(row).toEqual({ groups: 39952n, matched: 39952n, wanted: 39952n, different: 0n });

    const worst = await connection.runAndReadAll(
      `select origin from '${source}' group by origin order by avg(delay) desc limit 10`,
    );
    const shown = output
      .split('\n')
      .filter((line) => line.startsWith('│'))
      .map((line) => line.split('│')[1]?.trim())
      .slice(1);
    expect(shown).toEqual(worst.getRows().map(([origin]) => origin));
    connection.closeSync();
  });

  it('goes on where it was when npm start is killed, and says so, and begins anew after its end', async () => {
    rmSync(join(out, 'daily'), { recursive: true, force: true });
    const checkpoints = join(out, 'checkpoints');
    // What `npm start` runs, once everything is built, with its output elsewhere and more checkpoints.
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const [, , command] = /^(.*) && node (.*)$/.exec(scripts.start) ?? [];
    const args = [...command.split(' '), '-p', '2', '--param', `out=${join(out, 'daily')}`];
    args.push('-D', 'execution.checkpointing.interval=20ms');
    args.push('-D', `execution.checkpointing.dir=${checkpoints}`);
    /** One life, which is killed as soon as `isTime`. */
    const live = async (isTime: () => boolean) => {
      const child = spawn(process.execPath, args, {
        cwd: root,
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let said = '';
      child.stderr.on('data', (text) => {
        said += String(text);
      });
      const watch = setInterval(() => {
        try {
          if (isTime()) child.kill('SIGKILL');
        } catch (error) {
          // The job deletes directories while they are looked at.
          if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
        }
      }, 2);
      const ended = await new Promise<string | number | null>((resolve) => {
        child.on('close', (code, signal) => resolve(signal ?? code));
      });
      clearInterval(watch);
      return { ended, said };
    };
    const isThere = (path: string) => existsSync(path) && readdirSync(path).length > 0;
    const moments = [
      () => isThere(checkpoints),
      () => newestIn(checkpoints) > 0,
      () => newestIn(checkpoints) > 3,
      () => newestIn(checkpoints) > 5,
      () => isThere(join(out, 'daily')) && readdirSync(join(out, 'daily')).some(isPart),
    ];
    let continued = 0;
    let kills = 0;
    for (const isTime of moments) {
      const before = newestIn(checkpoints);
      const { ended, said } = await live(isTime);
      if (before > 0) expect(said).toMatch(new RegExp(`Continues from checkpoint ${before}\\b`));
      if (before > 0) continued++;
      if (ended === 'SIGKILL') kills++;
      else expect(ended, said).toBe(0);
    }
    const before = newestIn(checkpoints);
    const last = await live(() => false);
    expect(last.ended, last.said).toBe(0);
    if (before > 0) expect(last.said).toContain('Continues from checkpoint');
    expect(kills).toBeGreaterThanOrEqual(3);
    expect(continued).toBeGreaterThanOrEqual(2);
    const check = async () => {
      const instance = await DuckDBInstance.create(':memory:');
      const connection = await instance.connect();
      const [row] = (await connection.runAndReadAll(DIFFERENCES)).getRowObjects();
      expect(row).toEqual({ groups: 39952n, matched: 39952n, wanted: 39952n, different: 0n });
      connection.closeSync();
    };
    await check();
    const [home, ...others] = readdirSync(checkpoints);
    expect(others).toEqual([]);
    const left = readdirSync(join(checkpoints, home));
    expect(left.filter((name) => !name.startsWith('epoch-'))).toEqual(['finished']);
    const again = await live(() => false);
    expect(again.ended, again.said).toBe(0);
    expect(again.said).not.toMatch(/Continues|Nothing to do/);
    await check();
  });
});

const isPart = (name: string): boolean => name.startsWith('part-');

/** The number of the newest checkpoint of any job; 0 for none. */
function newestIn(directory: string): number {
  const jobs = existsSync(directory) ? readdirSync(directory) : [];
  const ids = jobs.flatMap((job) =>
    readdirSync(join(directory, job))
      .filter((name) => existsSync(join(directory, job, name, '_metadata')))
      .map((name) => Number(name.replace('chk-', ''))),
  );
  return Math.max(0, ...ids);
}
