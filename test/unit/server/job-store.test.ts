import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeDisk } from '../../../src/base/node-disk.js';
import { resolveSettings } from '../../../src/runtime/settings.js';
import { newRecord, withStatus } from '../../../src/server/job-record.js';
import { JobStore } from '../../../src/server/job-store.js';

describe('JobStore', () => {
  let directory: string;
  let module: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-store-'));
    module = join(directory, 'module.mjs');
    writeFileSync(module, 'export {};');
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const store = () => new JobStore(nodeDisk, join(directory, 'jobs'));
  const record = (id: string, submittedMs: number) =>
    newRecord(id, {
      bundle: 'job.mjs',
      jobName: null,
      params: { days: 7 },
      settings: resolveSettings([{ origin: 'test', values: { parallelism: 3 } }]),
      baseDirectory: '/',
      submittedMs,
    });

  it('gives back what was saved last, oldest first', () => {
    const jobs = store();
    jobs.create(record('b', 2), module);
    jobs.create(record('a', 1), module);
    const running = withStatus(record('b', 2), 'RUNNING', 5);
    jobs.save(running);
    expect(store().load()).toEqual([record('a', 1), running]);
    expect(existsSync(new URL(jobs.urlOf('a')))).toBe(true);
    jobs.remove('a');
    expect(store().load()).toEqual([running]);
    expect(readdirSync(join(directory, 'jobs'))).toEqual(['b']);
  });

  it('takes away what a submission that was cut short has left', () => {
    const jobs = store();
    jobs.create(record('a', 1), module);
    rmSync(join(jobs.directoryOf('a'), 'job.json'));
    expect(store().load()).toEqual([]);
    expect(existsSync(jobs.directoryOf('a'))).toBe(false);
  });

  it('is not disturbed by a save that was cut short', () => {
    const jobs = store();
    jobs.create(record('a', 1), module);
    writeFileSync(join(jobs.directoryOf('a'), 'job.json.tmp'), '{"vers');
    expect(store().load()).toEqual([record('a', 1)]);
    store().save(record('a', 1));
    expect(readdirSync(jobs.directoryOf('a')).toSorted()).toEqual(['job.json', 'module.mjs']);
  });

  it.each([
    ['{"version":1,', /no JSON/],
    ['{"version":99,"record":{}}', /version 99/],
  ])('names a record that is damaged: %s', (content, reason) => {
    const jobs = store();
    jobs.create(record('a', 1), module);
    writeFileSync(join(jobs.directoryOf('a'), 'job.json'), content);
    const load = () => store().load();
    expect(load).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT' }));
    expect(load).toThrow(reason);
  });
});
