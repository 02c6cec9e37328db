import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Started, startCli } from './run-cli.js';
import { startOnTerminal, whyNoTerminal } from './pseudo-terminal.js';

let directory = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-dev-test-'));
  write('label.ts', "export const label = 'one';\n");
  write('job.ts', counting('counter'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

function write(name: string, text: string): void {
  writeFileSync(join(directory, name), text);
}

/** Counts in state by key, so that a count that goes on is state that was taken over; columns keep their width. */
function counting(uid: string): string {
  return `
import { datagen, job, print, sequence } from 'millrace';
import { label } from './label.js';

export default job('counting', (flow) => {
  flow
    .from(datagen({ rows: 'unbounded', rowsPerSecond: 200, fields: { id: sequence() } }), {
      uid: 'numbers',
    })
    .map(({ id }) => ({ all: 1, id }))
    .keyBy('all')
    .process(
      (context) => {
        const count = context.state.value<number>({ name: 'count' });
        return {
          processElement(_row, { collect }) {
            const now = (count.value() ?? 0) + 1;
            count.update(now);
            collect({ said: label + ' ' + String(now).padStart(6, '0') });
          },
        };
      },
      { uid: '${uid}' },
    )
    .to(print({ rowsMax: 1e9 }), { uid: 'printed' });
});
`;
}

/** A label that is none once there is a file of the name. */
const FAILING_LABEL = `
import { existsSync } from 'node:fs';
export const label = {
  toString() {
    if (existsSync('fail')) throw new Error('bad label');
    return 'one';
  },
};
`;

const words = ['dev', 'job.ts', '-p', '1'];

/** The lines of `--json` that are of a type, so far. */
function linesOf(started: Started, type: string): readonly Record<string, unknown>[] {
  const whole = started.output.stdout.split('\n').slice(0, -1);
  return whole.map((line) => JSON.parse(line)).filter((line) => line.type === type);
}

async function until<T>(look: () => T | undefined | false): Promise<T> {
  for (;;) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const nth = (started: Started, type: string, count: number): Promise<Record<string, unknown>> =>
  until(() => linesOf(started, type)[count - 1]);

/** Counts with a label, in the order in which they were printed. */
const counts = (text: string, label: string): readonly number[] =>
  [...text.matchAll(new RegExp(`${label} (\\d+)`, 'g'))].map(([, count]) => Number(count));

async function end(started: Started, code: number): Promise<void> {
  started.child.kill('SIGINT');
  expect((await started.finished).code).toBe(code);
}

const scratches = (): readonly string[] =>
  readdirSync(tmpdir()).filter((name) => /^millrace-dev-[A-Za-z0-9]{6}$/.test(name));

describe('millrace dev', () => {
  it('swaps the code of a job that goes on with its state, and leaves nothing behind', async () => {
    const before = scratches();
    const started = startCli([...words, '--json'], { cwd: directory });
    expect(await nth(started, 'running', 1)).toMatchObject({ why: 'start', from: null });
    await until(() => counts(started.output.stderr, 'one').length > 20);
    write('label.ts', "export const label = 'two';\n");
    expect(await nth(started, 'running', 2)).toMatchObject({
      why: 'change',
      from: expect.stringContaining('savepoint-'),
    });
    await until(() => counts(started.output.stderr, 'two').length > 20);
    const text = started.output.stderr;
    const [ones, twos] = [counts(text, 'one'), counts(text, 'two')];
    // Every number once: nothing was counted twice, and nothing left out.
    const all = [...ones, ...twos];
    expect(all).toEqual(all.map((_, at) => at + 1));
    await end(started, 130);
    expect(scratches().filter((name) => !before.includes(name))).toEqual([]);
  });

  it('shows what does not compile at its line, and leaves the job running', async () => {
    const started = startCli(words, { cwd: directory });
    await started.seen('The job runs');
    write('label.ts', 'export const label = ;\n');
    await started.seen('the old code goes on');
    expect(started.output.stderr).toContain('JOB_NOT_IMPORTABLE');
    expect(started.output.stderr).toMatch(/label\.ts:1:22\n {2}> 1 \| export const label = ;/);
    const known = counts(started.output.stdout, 'one').length;
    await until(() => counts(started.output.stdout, 'one').length > known + 100);
    write('label.ts', "export const label = 'one';\n");
    await started.seen('comes to the same code');
    // The plan is where a wrong field shows.
    write('job.ts', counting('counter').replace("keyBy('all')", "keyBy('al')"));
    await started.seen('FIELD_UNKNOWN');
    await end(started, 130);
  });

  it('goes on with the old code where the new one does not take up the state', async () => {
    const started = startCli([...words, '--json'], { cwd: directory });
    await nth(started, 'running', 1);
    await until(() => counts(started.output.stderr, 'one').length > 20);
    write('job.ts', counting('renamed'));
    const refused = await nth(started, 'refused', 1);
    expect(refused).toMatchObject({ at: 'restore', runs: true });
    expect(refused).toMatchObject({ error: { code: 'STATE_NOT_RESTORED' } });
    expect(await nth(started, 'running', 2)).toMatchObject({ why: 'rollback' });
    const known = counts(started.output.stderr, 'one').length;
    await until(() => counts(started.output.stderr, 'one').length > known + 20);
    const all = counts(started.output.stderr, 'one');
    expect(all).toEqual(all.map((_, at) => at + 1));
    await end(started, 130);
  });

  it('waits for better code after a failure, and goes on from the last checkpoint', async () => {
    write('label.ts', "export const label = 'one';\n");
    const interval = ['-D', 'execution.checkpointing.interval=50ms'];
    const started = startCli([...words, '--json', ...interval], { cwd: directory });
    await nth(started, 'running', 1);
    await nth(started, 'checkpoint', 2);
    // Code that fails before its job runs is not taken up, so it fails when it is told to.
    write('label.ts', FAILING_LABEL);
    await nth(started, 'running', 2);
    write('fail', '');
    expect(await nth(started, 'failed', 1)).toMatchObject({
      error: { code: 'USER_FUNCTION_FAILED' },
      from: expect.any(String),
    });
    write('label.ts', "export const label = 'two';\n");
    await until(() => counts(started.output.stderr, 'two').length > 0);
    const [last = 0] = counts(started.output.stderr, 'one').slice(-1);
    const [first = 0] = counts(started.output.stderr, 'two');
    expect(first).toBeGreaterThan(1);
    expect(first).toBeLessThanOrEqual(last + 1);
    await end(started, 130);
  });

  it('runs a job that has finished again when it is saved', async () => {
    write('job.ts', counting('counter').replace("'unbounded'", '30'));
    const started = startCli([...words, '--json'], { cwd: directory });
    await nth(started, 'result', 1);
    write('label.ts', "export const label = 'two';\n");
    await nth(started, 'result', 2);
    expect(counts(started.output.stderr, 'two')).toEqual(
      Array.from({ length: 30 }, (_, at) => at + 1),
    );
    await end(started, 130);
  });

  it('says what is wrong with the call before anything runs', async () => {
    const started = startCli(['dev', 'jop.ts'], { cwd: directory });
    const { code, stderr } = await started.finished;
    expect(code).toBe(2);
    expect(stderr).toContain('Did you mean "job.ts"?');
  });
});

const reason = whyNoTerminal();

describe.skipIf(reason !== null)(
  `the keys of millrace dev${reason === null ? '' : ` (skipped: ${reason})`}`,
  () => {
    it('help, pause, save, start clean, and quit', async () => {
      const started = startOnTerminal('dev job.ts -p 1', {
        env: { NO_COLOR: '1' },
        cwd: directory,
      });
      const press = (key: string): unknown => started.child.stdin?.write(key);
      const numbers = (): readonly number[] => counts(started.output.stdout, 'one');
      await started.seen('The job runs');
      press('h');
      await started.seen('clean start, without the state');
      await until(() => numbers().length > 20);
      press('p');
      await started.seen('The job is paused');
      press('p');
      await started.seen('The job goes on, with its state');
      press('s');
      await started.seen('Savepoint savepoints/savepoint-');
      const [savepoint = ''] = readdirSync(join(directory, 'savepoints'));
      expect(existsSync(join(directory, 'savepoints', savepoint, '_metadata'))).toBe(true);
      const known = numbers().length;
      await until(() => numbers().length > known);
      expect(numbers()).toEqual(numbers().map((_, at) => at + 1));
      press('c');
      await started.seen('The job was started from the beginning');
      await until(
        () => numbers().at(-1) !== undefined && numbers().filter((one) => one === 1).length === 2,
      );
      press('q');
      const { code, stdout } = await started.finished;
      expect(code).toBe(0);
      expect(stdout.lastIndexOf('\x1b[?25h')).toBeGreaterThan(stdout.lastIndexOf('\x1b[?25l'));
    });
  },
);
