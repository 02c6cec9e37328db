import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeDisk } from '../../../src/base/node-disk.js';
import { resolveSettings } from '../../../src/runtime/settings.js';
import { newRecord, withStatus } from '../../../src/server/job-record.js';
import { JobStore } from '../../../src/server/job-store.js';
import { nextFence } from './fake-world.js';

describe('JobStore', () => {
  let directory: string;
  let module: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-store-'));
    module = join(directory, 'module.mjs');
    writeFileSync(module, 'export {};');
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  /** As the next leader has it. */
  const store = () => new JobStore(nodeDisk, join(directory, 'jobs'), nextFence(directory));
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
    const next = store();
    expect(next.load()).toEqual([record('a', 1), running]);
    expect(existsSync(new URL(next.urlOf('a')))).toBe(true);
    next.remove('a');
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

  it('changes nothing for a server that leads no longer', () => {
    const zombie = store();
    zombie.create(record('a', 1), module);
    const next = store();
    const lost = expect.objectContaining({ code: 'LEADERSHIP_LOST' });
    expect(() => zombie.save(withStatus(record('a', 1), 'RUNNING', 5))).toThrow(lost);
    expect(() => zombie.create(record('b', 2), module)).toThrow(lost);
    expect(() => zombie.remove('a')).toThrow(lost);
    expect(next.load()).toEqual([record('a', 1)]);
  });

  it.each([
    ['', /no JSON/],
    ['{"version":1,', /no JSON/],
    ['{"version":1,"record":{}}', /missing/],
    ['[1]', /no JSON/],
  ])('keeps a job whose record is damaged as one that has failed: %s', (content, reason) => {
    const jobs = store();
    jobs.create(record('a', 1), module);
    jobs.create(record('b', 2), module);
    writeFileSync(join(jobs.directoryOf('a'), 'job.json'), content);
    const byId = () =>
      new Map(
        store()
          .load()
          .map((one) => [one.id, one]),
      );
    const records = byId();
    expect(records.get('b')).toEqual(record('b', 2));
    const [failure] = records.get('a')?.failures ?? [];
    expect(records.get('a')?.status).toBe('FAILED');
    expect(failure?.error).toMatchObject({ code: 'STORE_CORRUPT' });
    expect(failure?.error.message).toMatch(reason);
    // Found once, it is a job like any other, and the evidence is kept.
    expect(byId()).toEqual(records);
    const kept = join(jobs.directoryOf('a'), 'job.json.damaged');
    expect(readFileSync(kept, 'utf8')).toBe(content);
  });

  it('does not take a job of a newer version for a damaged one', () => {
    const jobs = store();
    jobs.create(record('a', 1), module);
    writeFileSync(join(jobs.directoryOf('a'), 'job.json'), '{"version":99,"record":{}}');
    const load = () => store().load();
    expect(load).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT' }));
    expect(load).toThrow(/version 99/);
  });
});
