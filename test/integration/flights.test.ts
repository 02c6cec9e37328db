import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
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
      { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 },
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

  it('goes on where it was when it is killed in the middle, and says so', async () => {
    rmSync(join(out, 'daily'), { recursive: true, force: true });
    const checkpoints = join(out, 'checkpoints');
    const args = [join(root, 'dist/cli.js'), 'run', join(root, 'examples/flights.ts'), '-p', '2'];
    args.push('--param', `out=${join(out, 'daily')}`, '--from', 'latest');
    args.push('-D', 'execution.checkpointing.interval=20ms');
    args.push('-D', `execution.checkpointing.dir=${checkpoints}`);
    const child = spawn(process.execPath, args, { cwd: root, stdio: 'ignore' });
    const ended = new Promise<NodeJS.Signals | null>((resolve) => {
      child.on('close', (_code, signal) => resolve(signal));
    });
    const watch = setInterval(() => {
      if (hasCheckpoint(checkpoints)) child.kill('SIGKILL');
    }, 2);
    expect(await ended).toBe('SIGKILL');
    clearInterval(watch);
    const again = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    again.stderr.on('data', (text) => {
      said += String(text);
    });
    const code = await new Promise((resolve) => {
      again.on('close', resolve);
    });
    expect(code, said).toBe(0);
    expect(said).toMatch(/Continues from checkpoint \d+/);
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    const [row] = (await connection.runAndReadAll(DIFFERENCES)).getRowObjects();
    expect(row).toEqual({ groups: 39952n, matched: 39952n, wanted: 39952n, different: 0n });
    connection.closeSync();
    const [home, ...others] = readdirSync(checkpoints);
    expect(others).toEqual([]);
    const left = readdirSync(join(checkpoints, home));
    expect(left.filter((name) => !name.startsWith('epoch-'))).toEqual(['finished']);
  });
});

/** Whether any job has completed one. */
function hasCheckpoint(directory: string): boolean {
  const jobs = existsSync(directory) ? readdirSync(directory) : [];
  return jobs.some((job) =>
    readdirSync(join(directory, job)).some((name) =>
      existsSync(join(directory, job, name, '_metadata')),
    ),
  );
}
