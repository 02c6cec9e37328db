/** What functions of a job log, wherever it runs, and what embedding programs hear of jobs. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { type LogLine, type RunOptions, start } from 'millrace';
import { describe, expect, it } from 'vitest';
import logging from '../fixtures/jobs/logging.mjs';
import { fixture, runCli } from './run-cli.js';

const params = { rows: 100, rowsPerSecond: 1e6 };

async function linesOf(options: RunOptions): Promise<readonly LogLine[]> {
  const execution = await start(logging, { params, ...options });
  const lines: LogLine[] = [];
  for await (const event of execution.events()) if (event.type === 'log') lines.push(event.line);
  await execution.finished;
  return lines;
}

describe('logs of functions', () => {
  it.each([
    ['on threads', { parallelism: 2, runtime: 'threads' }],
    ['on the calling thread', { runtime: 'in-thread' }],
    ['in a process of its own', { parallelism: 2, isolate: 'process' }],
  ] as const)('come as events of the job when it runs %s', async (_, options) => {
    const lines = await linesOf(options);
    const tenths = lines.filter(({ message }) => message === 'tenth');
    expect(
      tenths.map(({ fields }) => JSON.parse(fields ?? '').id).toSorted((a, b) => a - b),
    ).toEqual(Array.from({ length: 10 }, (_row, at) => at * 10));
    expect(tenths[0]).toMatchObject({
      level: 'info',
      operator: 'watch',
      subtask: expect.any(Number),
    });
    // On this thread the sink is open before anyone can listen.
    const opened = lines.filter(({ message }) => message === 'opened');
    expect(opened).toHaveLength('parallelism' in options ? 2 : 0);
    expect(lines.some(({ level }) => level === 'debug')).toBe(false);
  });

  it('follow the level while the job runs', async () => {
    const execution = await start(logging, { parallelism: 1, runtime: 'threads' });
    for await (const event of execution.events()) {
      if (event.type !== 'log') continue;
      if (event.line.message === 'tenth') execution.setLogLevel('debug');
      if (event.line.level === 'debug') break;
    }
    execution.cancel();
    await expect(execution.finished).rejects.toMatchObject({ code: 'JOB_CANCELED' });
  });

  it('are shown by the command line, and its level is a setting', async () => {
    const words = ['run', fixture('logging.mjs'), '-p', '1', '--param', 'rows=11'];
    const [text, json] = await Promise.all([
      runCli(words),
      runCli([...words, '--json', '-D', 'log.level=debug']),
    ]);
    expect(text.stderr).toMatch(/\d INFO +watch\[0\] tenth \{"id":10,"password":"hunter2"\}\n/);
    expect(text.stderr).toMatch(/ WARN +written\[0\] opened\n/);
    const lines = json.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const debug = lines.filter(({ type, level }) => type === 'log' && level === 'debug');
    expect(debug).toHaveLength(11);
    expect(debug[0]).toMatchObject({ operator: 'watch', subtask: 0, attempt: 0, msg: 'each' });
  });
});

describe('channels of diagnostics', () => {
  it('tell of the states and lines of all jobs of the process', async () => {
    const heard: unknown[] = [];
    const listener = (message: unknown): void => void heard.push(message);
    const names = ['millrace:job', 'millrace:log'];
    for (const name of names) subscribe(name, listener);
    try {
      const execution = await start(logging, { params, parallelism: 1 });
      await execution.finished;
    } finally {
      for (const name of names) unsubscribe(name, listener);
    }
    expect(heard).toContainEqual(expect.objectContaining({ job: 'logging', state: 'RUNNING' }));
    expect(heard).toContainEqual(expect.objectContaining({ job: 'logging', state: 'FINISHED' }));
    const line = expect.objectContaining({ message: 'opened', operator: 'written' });
    expect(heard).toContainEqual(expect.objectContaining({ job: 'logging', attempt: 0, line }));
  });
});
