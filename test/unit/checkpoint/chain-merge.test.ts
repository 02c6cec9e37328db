import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChainMerge } from '../../../src/checkpoint/chain-merge.js';
import { HOME, openStore } from './checkpoint-script.js';
import { sharedFiles, TableJob } from './table-job.js';

describe('ChainMerge', () => {
  it('keeps state as it is, whatever happens between its steps', () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.tuple(fc.constant('write'), fc.nat({ max: 40 }), fc.boolean()) },
      { weight: 4, arbitrary: fc.tuple(fc.constant('checkpoint'), fc.nat(), fc.constant(false)) },
      { weight: 1, arbitrary: fc.tuple(fc.constant('full'), fc.nat(), fc.boolean()) },
      { weight: 1, arbitrary: fc.tuple(fc.constant('abort'), fc.nat(), fc.boolean()) },
      { weight: 2, arbitrary: fc.tuple(fc.constant('merge'), fc.nat({ max: 4 }), fc.boolean()) },
      { weight: 2, arbitrary: fc.tuple(fc.constant('dispose'), fc.nat(), fc.boolean()) },
    );
    const seen = { merged: 0, aborted: 0 };
    const inline = fc.constantFrom(0, 200);
    const steps = fc.array(step, { maxLength: 60, size: 'max' });
    fc.assert(
      fc.property(steps, inline, (all, inlineBytesMax) => {
        const job = new TableJob(inlineBytesMax);
        for (let key = 0; key < 40; key++) job.write(key, key);
        job.checkpoint();
        let running: ChainMerge | null = null;
        for (const [index, [kind, number, flag]] of all.entries()) {
          if (kind === 'write') job.write(number, flag ? index : null);
          else if (kind === 'checkpoint' || kind === 'full') job.checkpoint(kind === 'full');
          else if (kind === 'dispose') {
            for (const { id } of job.store.retained.slice(1)) job.store.dispose(id);
          } else if (kind === 'abort') {
            running ??= job.begin();
            running.step();
            running.abort();
            running = null;
            seen.aborted++;
          } else {
            // One at a time for one checkpoint, as files are named after it.
            running ??= job.begin();
            if (running.step()) {
              job.end(running);
              running = null;
              seen.merged++;
              job.checkpoint();
            }
          }
          job.check(2);
        }
        running?.abort();
        job.check();
        job.checkpoint(true);
        for (const { id } of job.store.retained.slice(1)) job.store.dispose(id);
        job.check();
        expect(sharedFiles(job).length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 30 },
    );
    expect(seen.merged).toBeGreaterThan(20);
    expect(seen.aborted).toBeGreaterThan(5);
  });

  it('bounds pieces, files and bytes over any number of checkpoints', () => {
    const job = new TableJob();
    const keys = 3000;
    for (let key = 0; key < keys; key++) job.write(key, 0);
    job.checkpoint();
    const fullBytes = job.writtenBytes;
    let mergedBytes = 0;
    let pieces = 0;
    let kept = 0;
    const checkpoints = 200;
    for (let round = 1; round <= checkpoints; round++) {
      for (let n = 0; n < keys / 100; n++) job.write((round * 997 + n * 31) % keys, round);
      job.checkpoint();
      for (const { id } of job.store.retained.slice(1)) job.store.dispose(id);
      const merge = job.begin();
      if (merge.isEmpty) merge.abort();
      else {
        while (!merge.step());
        mergedBytes += merge.bytes;
        job.end(merge);
      }
      pieces = Math.max(pieces, job.newest?.pieces.length ?? 0);
      const files = [...job.disk.files()].filter(([path]) => path.includes('/shared/'));
      kept = Math.max(
        kept,
        files.reduce((sum, [, bytes]) => sum + bytes.length, 0),
      );
    }
    job.check();
    expect(pieces).toBeLessThan(3 * 20);
    expect(kept / fullBytes).toBeLessThan(4.5);
    // Each byte of a change is written once by its checkpoint and a few times by merges.
    const changedBytes = job.writtenBytes - fullBytes;
    expect(mergedBytes / changedBytes).toBeLessThan(6);
    expect(mergedBytes).toBeGreaterThan(0);
  });

  it('keeps what it reads, and drops what it wrote, when everything was written anew meanwhile', () => {
    const job = new TableJob();
    for (let round = 0; round < 30; round++) {
      job.write(1, round);
      job.checkpoint();
    }
    const merge = job.begin();
    job.checkpoint(true);
    for (const { id } of job.store.retained.slice(1)) job.store.dispose(id);
    while (!merge.step());
    const before = job.newest;
    job.end(merge);
    expect(job.newest).toEqual(before);
    expect(sharedFiles(job)).toEqual([`${HOME}/shared/state-31-0-1`]);
    job.check();
  });

  it('writes nothing when nothing is long', () => {
    const job = new TableJob();
    job.write(1, 1);
    job.checkpoint();
    const merge = job.begin();
    expect(merge.isEmpty).toBe(true);
    expect(merge.step()).toBe(true);
    const before = job.newest;
    job.end(merge);
    expect(job.newest).toEqual(before);
    expect(sharedFiles(job)).toHaveLength(1);
  });

  it('leaves pieces alone that two subtasks have written', () => {
    const job = new TableJob();
    for (let round = 0; round < 30; round++) {
      job.write(1, round);
      job.checkpoint();
    }
    if (job.newest === null) throw new Error('there is a checkpoint');
    job.newest = {
      ...job.newest,
      pieces: job.newest.pieces.map((piece, index) => ({ ...piece, subtask: index % 2 })),
    };
    expect(job.begin().isEmpty).toBe(true);
  });

  it('leaves nothing of a merge whose job was killed', () => {
    const job = new TableJob();
    for (let round = 0; round < 30; round++) {
      job.write(1, round);
      job.checkpoint();
    }
    const merge = job.begin();
    while (!merge.step());
    job.end(merge);
    const held = sharedFiles(job).filter((path) => path.includes('-65535-'));
    expect(held).toHaveLength(1);
    const heir = openStore(job.disk, { isIncremental: true });
    expect(heir.damaged).toEqual([]);
    expect(sharedFiles(job).filter((path) => path.includes('-65535-'))).toEqual([]);
    expect(heir.latest()?.manifest.id).toBe(30);
  });
});
