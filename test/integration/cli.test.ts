import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixture, runCli, startCli } from './run-cli.js';

let directory = '';

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-cli-'));
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

const jsonLines = (text: string): { readonly type: string; readonly [key: string]: unknown }[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('millrace run', () => {
  it('gives results to standard output and tells of the run on standard error', async () => {
    const { code, stdout, stderr } = await runCli(['run', fixture('printing.mjs'), '-p', '2']);
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toBe('Rows');
    expect(lines[1]).toMatch(/^┌─+┬─+┐$/);
    expect(lines.filter((line) => line.startsWith('│'))).toHaveLength(31);
    expect(stderr).toMatch(/^printing: 2 chains in 2 slots, at-least-once\n/);
    expect(stderr).toMatch(/printing finished in .*: 30 rows, .* rows\/s\n$/);
    expect(stderr + stdout).not.toContain('\x1b');
  });

  it('passes parameters and chooses among several jobs', async () => {
    const words = ['run', fixture('sums.mjs'), '--job', 'bounded', '--param', 'rows=5000'];
    const { code, stdout, stderr } = await runCli([...words, '-p', '2', '--verbose']);
    expect(code).toBe(0);
    expect(stdout).toBe('');
    expect(stderr).toContain('bounded finished');
    expect(stderr).toContain('5,000 rows');
    for (const part of ['guarantee', 'slot.memory = 512 MB', 'Memory ledger:', '[1] FINISHED']) {
      expect(stderr).toContain(part);
    }
    const unnamed = await runCli(['run', fixture('sums.mjs')]);
    expect(unnamed.code).toBe(2);
    expect(unnamed.stderr).toContain('Known: endless, bounded. Choose one with --job.');
    const none = await runCli(['run', fixture('nothing.ts')]);
    expect(none.code).toBe(2);
    expect(none.stderr).toContain('nothing.ts');
    expect(none.stderr).not.toMatch(/--job|\.cache/);
  });

  it('fails with the line of the user, mapped to TypeScript, in threads and on the own one', async () => {
    for (const words of [[], ['-p', '2'], ['-D', 'isolate=process']]) {
      const { code, stderr } = await runCli(['run', fixture('typed-failing.ts'), ...words]);
      expect(code).toBe(1);
      expect(stderr).toContain('USER_FUNCTION_FAILED The function of "digest" threw TypeError');
      expect(stderr).toMatch(/typed-failing\.ts:10:11\n/);
      expect(stderr).toContain('> 10 |     throw new TypeError(`cannot digest ${row.value}`);');
      expect(stderr).toMatch(/where {4}job typed-failing, operator digest, subtask \d, record/);
      expect(stderr).toMatch(/created {2}\S*typed-failing\.ts:18:/);
      expect(stderr).toContain('typed-failing failed after');
    }
  });

  it.each([
    [['run', 'nothing.ts'], 'FILE_NOT_FOUND There is no job module "nothing.ts"'],
    [['run', fixture('sumz.mjs')], 'Did you mean "sums.mjs"?'],
    [['run', fixture('printing.mjs'), '-D', 'slot.memroy=1gb'], 'Did you mean "slot.memory"?'],
    [['run', fixture('printing.mjs'), '-p', 'many'], 'a whole number from 1 to 32768'],
    [['run', fixture('printing.mjs'), '--param', 'rows'], 'not of the form key=value'],
    [['run', fixture('printing.mjs'), '--parm', 'a=1'], 'Did you mean --param?'],
    [['rum'], 'Did you mean run?'],
  ])('refuses %j', async (words, message) => {
    const { code, stdout, stderr } = await runCli(words);
    expect(stderr).toContain(message);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });

  it('shows where a module cannot be parsed, and the operator that cannot be planned', async () => {
    const broken = join(directory, 'broken.mjs');
    writeFileSync(broken, 'const a = 1;\nconst b = [1..;\n');
    const syntax = await runCli(['run', broken]);
    expect(syntax.code).toBe(2);
    expect(syntax.stderr).toContain('> 2 | const b = [1..;');
    const missing = fixture('missing-input.ts');
    const planned = await runCli(['run', missing]);
    expect(planned.code).toBe(2);
    expect(planned.stderr).toContain('FILE_NOT_FOUND "nowhere/*.csv" matches no file');
    expect(planned.stderr).toContain("> 5 |   flow.from(csv('nowhere/*.csv')).to(discard());");
  });

  it('reads its configuration from file, environment and flags', async () => {
    const config = join(directory, 'millrace.config.yaml');
    writeFileSync(config, 'parallelism: 3\nseed: 5\n');
    const words = ['run', fixture('printing.mjs'), '--verbose', '-D', 'slot.memory=64mb'];
    const env = { MILLRACE_PARALLELISM: '2' };
    const { code, stderr } = await runCli(words, { cwd: directory, env });
    rmSync(config);
    expect(code).toBe(0);
    expect(stderr).toContain('parallelism = 2\n');
    expect(stderr).toContain('seed = 5\n');
    expect(stderr).toContain('slot.memory = 64.0 MB\n');
  });
});

describe('millrace run --json', () => {
  it('writes nothing but JSON lines to standard output', async () => {
    for (const isolate of ['none', 'process']) {
      const words = ['run', fixture('printing.mjs'), '--json', '--param', 'loud=true'];
      const done = await runCli([...words, '-p', '1', '-D', `isolate=${isolate}`]);
      expect(done.code).toBe(0);
      // Where the machine is slow there is time for progress in between.
      const lines = jsonLines(done.stdout).filter((line) => line.type !== 'progress');
      expect(lines.map((line) => line.type)).toEqual(['plan', 'result']);
      expect(lines[1]).toMatchObject({ jobName: 'printing', state: 'FINISHED', badRecords: 0 });
      expect(done.stderr).toContain('│ row 29 │');
      expect(done.stderr).toContain('loud 29\n');
    }
  });

  it('tells of bad records, and of errors with code, place and causes', async () => {
    const input = join(directory, 'in.ndjson');
    writeFileSync(input, '{"a":1}\noops\n{"a":2}\n');
    const job = fixture('skipping.mjs');
    const skipping = await runCli(['run', job, '--json', '--param', `path=${input}`]);
    const lines = jsonLines(skipping.stdout);
    const [bad, result] = ['badRecord', 'result'].map((type) =>
      lines.find((line) => Reflect.get(Object(line), 'type') === type),
    );
    expect(bad).toMatchObject({ type: 'badRecord', file: input, line: 2, text: 'oops' });
    expect(result).toMatchObject({ type: 'result', badRecords: 1 });
    const plain = await runCli(['run', job, '--param', `path=${input}`]);
    expect(plain.stderr).toMatch(/bad {3}1 × .*\(first: \S*in\.ndjson:2\)/);

    const failed = await runCli(['run', fixture('typed-failing.ts'), '--json']);
    expect(failed.code).toBe(1);
    expect(jsonLines(failed.stdout).at(-1)).toMatchObject({
      type: 'error',
      error: { code: 'USER_FUNCTION_FAILED', where: { operator: 'digest' } },
    });
    const wrong = await runCli(['run', 'nothing.ts', '--json']);
    expect(wrong.code).toBe(2);
    expect(jsonLines(wrong.stdout)).toMatchObject([{ type: 'error' }]);
    expect(wrong.stderr).toBe('');
  });

  it('reports progress', async () => {
    const words = ['run', fixture('printing.mjs'), '--json', '-p', '1'];
    const limits = ['--param', 'rows=30', '--param', 'rowsPerSecond=20'];
    const { stdout } = await runCli([...words, ...limits]);
    const progress = jsonLines(stdout).find((line) => line.type === 'progress');
    expect(progress).toMatchObject({ vertices: [{ isSource: true }, { isSource: false }] });
    expect(progress?.['elapsedMs']).toBeGreaterThan(500);
  });
});

describe('an interrupt', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('%s cancels the job in order', async (signal) => {
    const started = startCli(['run', fixture('printing.mjs'), '-p', '2', '--param', 'rows=0']);
    await started.seen('Rows');
    started.child.kill(signal);
    const { code, stderr } = await started.finished;
    expect(code).toBe(130);
    expect(stderr).toContain('Canceling; interrupt again to end at once.\n');
    expect(stderr).toContain('printing canceled after');
    expect(stderr).not.toContain('JOB_CANCELED');
  });

  it('ends a job that does not react when it comes a second time', async () => {
    const words = ['run', fixture('failing.mjs'), '-p', '2', '--param', 'behaviour=spins'];
    const started = startCli(words);
    await started.seen('failing: ');
    await new Promise((resolve) => setTimeout(resolve, 600));
    started.child.kill('SIGINT');
    await started.seen('Canceling');
    started.child.kill('SIGINT');
    const { code, signal } = await started.finished;
    expect({ code, signal }).toEqual({ code: 130, signal: null });
  });

  it('of the reader of the output ends the job quietly', async () => {
    const limits = ['--param', 'rows=0', '--param', 'rowsPerSecond=200'];
    const started = startCli(['run', fixture('printing.mjs'), '-p', '2', ...limits]);
    await started.seen('Rows');
    started.child.stdout?.destroy();
    const { code, stderr } = await started.finished;
    expect(code).toBe(141);
    expect(stderr).toBe('printing: 2 chains in 2 slots, at-least-once\n');
  });
});

describe('other commands', () => {
  it('explain prints the plan, and the code of chains whose schema is known', async () => {
    const words = ['explain', fixture('sums.mjs'), '--job', 'bounded', '-p', '2'];
    const { code, stdout } = await runCli([...words, '--code']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^job {10}bounded: 2 vertices in 2 slots\n/);
    expect(stdout).toContain('return function rows0(batch, from, to) {');
    expect(stdout).toContain('if ((builder.rows = outRow + 1) === 2048) {');
    const json = await runCli([...words, '--json']);
    expect(jsonLines(json.stdout)).toMatchObject([{ type: 'plan', plan: { job: 'bounded' } }]);
  });

  it('doctor finds no problem here', async () => {
    const { code, stdout } = await runCli(['doctor', '--json']);
    expect(code).toBe(0);
    expect(jsonLines(stdout)).toMatchObject([{ type: 'doctor', problems: 0 }]);
  });

  it('--version is that of the package, --help goes to standard output', async () => {
    const file = new URL('../../package.json', import.meta.url);
    const { version } = JSON.parse(readFileSync(file, 'utf8'));
    expect(await runCli(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n` });
    const help = await runCli(['--help']);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toContain('Usage: millrace');
    expect(await runCli([])).toMatchObject({ code: 2, stdout: '' });
  });
});
