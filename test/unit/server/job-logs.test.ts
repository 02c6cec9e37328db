import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeDisk } from '../../../src/base/node-disk.js';
import type { JobLogLine } from '../../../src/rest/job-log-line.js';
import { JsonLog } from '../../../src/server/json-log.js';
import { endOf, RotatingFile } from '../../../src/server/rotating-file.js';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-logs-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const parsed = (text: string): readonly JobLogLine[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));

describe('a rotating file', () => {
  it.each([1, 2, 3])('keeps the newest of what is written in %i files', (files) => {
    const path = join(directory, 'a.log');
    const file = new RotatingFile(nodeDisk, path, { bytesMax: 10, files });
    for (let word = 0; word < 20; word++) file.write(Buffer.from(`word${word % 10}`));
    file.close();
    expect(readdirSync(directory)).toHaveLength(files);
    const text = endOf(nodeDisk, path, Number.POSITIVE_INFINITY);
    expect('word0word1word2word3word4word5word6word7word8word9'.endsWith(text)).toBe(true);
    expect(text).toHaveLength(files * 10);
    expect(endOf(nodeDisk, path, 7)).toBe('d8word9');
  });

  it('goes on in the file of a writer that died, until that is full', () => {
    const path = join(directory, 'a.log');
    for (const text of ['one', 'two', 'three']) {
      new RotatingFile(nodeDisk, path, { bytesMax: 6, files: 2 }).write(Buffer.from(text));
    }
    expect(readdirSync(directory)).toEqual(['a.log', 'a.log.1']);
    expect(endOf(nodeDisk, path, 5)).toBe('three');
    expect(endOf(nodeDisk, path, 100)).toBe('onetwothree');
  });
});

describe('a log of JSON lines', () => {
  const kept = { bytesMax: 600, files: 3 };
  const open = (): JsonLog =>
    new JsonLog(nodeDisk, join(directory, 'job.log'), kept, { job: 'prices' });
  const line = (msg: string, more: Partial<JobLogLine> = {}): JobLogLine => {
    return { level: 'info', time: 5, msg, ...more };
  };

  it('takes no harm from half a line that a writer has left', () => {
    const first = open();
    first.add(line('whole'));
    first.close();
    const path = join(directory, 'job.log');
    writeFileSync(path, '{"level":"info","se', { flag: 'a' });
    const second = open();
    second.add(line('after a kill'));
    second.add(line('and on'));
    const lines = second.text(1e6, null).split('\n').slice(0, -1);
    expect(lines).toHaveLength(4);
    const whole = lines.filter((_, at) => at !== 1).map((text) => JSON.parse(text));
    expect(whole.map(({ seq, msg }) => [seq, msg])).toEqual([
      [0, 'whole'],
      [1, 'after a kill'],
      [2, 'and on'],
    ]);
    expect(readdirSync(directory)).toEqual(['job.log']);
    second.close();
  });

  it('numbers its lines over files and servers, and gives those after a number', () => {
    const first = open();
    for (let at = 0; at < 12; at++) first.add(line(`line ${at}`));
    first.close();
    const second = open();
    second.add(line('after a kill', { level: 'warn', operator: 'map', subtask: 1, attempt: 2 }));
    expect(parsed(second.text(1e6, 10))).toEqual([
      { level: 'info', job: 'prices', seq: 11, time: 5, msg: 'line 11' },
      {
        level: 'warn',
        job: 'prices',
        seq: 12,
        time: 5,
        operator: 'map',
        subtask: 1,
        attempt: 2,
        msg: 'after a kill',
      },
    ]);
    expect(readdirSync(directory).length).toBeGreaterThan(1);
    // Only whole lines.
    expect(parsed(second.text(100, null)).map(({ seq }) => seq)).toEqual([]);
    expect(parsed(second.text(220, null)).map(({ seq }) => seq)).toEqual([11, 12]);
  });

  it('hides secrets by their names, however deep they are', () => {
    const log = open();
    const fields = { user: 'ann', password: 'hunter2', to: [{ apiKey: 'k', url: 'u' }] };
    log.add(line('connects', { fields }));
    const text = log.text(1e6, null);
    expect(text).not.toMatch(/hunter2|"k"/);
    expect(parsed(text)[0]?.fields).toEqual({
      user: 'ann',
      password: '******',
      to: [{ apiKey: '******', url: 'u' }],
    });
  });
});
