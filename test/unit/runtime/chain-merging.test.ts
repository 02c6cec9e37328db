import { describe, expect, it } from 'vitest';
import type { MillraceError } from '../../../src/base/errors.js';
import { ChainMerging } from '../../../src/runtime/chain-merging.js';
import { sharedFiles, TableJob } from '../checkpoint/table-job.js';

/** A job whose chain is long, and its merges, which go on when `turn` is called. */
function longJob() {
  const job = new TableJob();
  const waiting: (() => void)[] = [];
  const merging = new ChainMerging({
    disk: job.disk,
    root: job.store.root,
    store: job.store,
    later: (callback) => waiting.push(callback),
  });
  for (let round = 0; round < 20; round++) {
    for (let key = 0; key < 200; key++) job.write(key, round + key);
    job.checkpoint();
  }
  const broken: MillraceError[] = [];
  return {
    job,
    merging,
    /** Why merges have found their chain unreadable. */
    broken,
    begin(): void {
      if (job.newest === null) return;
      merging.begin(
        job.newest,
        (merge) => job.end(merge),
        (error) => broken.push(error),
      );
    },
    turn(): boolean {
      waiting.shift()?.();
      return waiting.length > 0;
    },
  };
}

describe('ChainMerging', () => {
  it('merges one key group a turn, and later checkpoints build on the result', () => {
    const { job, begin, turn } = longJob();
    begin();
    begin();
    let turns = 1;
    while (turn()) turns++;
    expect(turns).toBeGreaterThan(1);
    expect(job.newest?.pieces).toHaveLength(turns);
    job.checkpoint();
    for (const { id } of job.store.retained.slice(1)) job.store.dispose(id);
    job.check();
    expect(sharedFiles(job)).toHaveLength(1);
    begin();
    expect(turn()).toBe(false);
  });

  it('gives up when the disk fails, and tries again after the next checkpoint', () => {
    for (const operation of ['read', 'write', 'createNew', 'remove']) {
      const { job, broken, begin, turn } = longJob();
      begin();
      const until = Number.POSITIVE_INFINITY;
      job.disk.restart({ kind: 'kill' }, [{ at: 1, until, kind: 'EIO', operation }]);
      const before = job.newest;
      while (turn());
      expect(broken.map(({ code }) => code)).toEqual(
        operation === 'read' ? ['FILE_UNREADABLE'] : [],
      );
      if (operation !== 'remove') expect([operation, job.newest]).toEqual([operation, before]);
      job.disk.restart({ kind: 'kill' });
      job.checkpoint();
      begin();
      while (turn());
      job.checkpoint();
      for (const { id } of job.store.retained.slice(1)) job.store.dispose(id);
      job.check();
      const left = sharedFiles(job).filter(
        (path) => !job.newest?.files.some((file) => path.endsWith(file.path)),
      );
      expect([operation, left]).toEqual([operation, []]);
    }
  });

  it('tells of a flipped bit, with file and offset, and a checkpoint of everything heals the chain', () => {
    const files = sharedFiles(longJob().job);
    expect(files.length).toBeGreaterThan(10);
    let found = 0;
    for (const [at, path] of files.entries()) {
      const { job, broken, begin, turn } = longJob();
      const before = job.newest;
      // In the header or in some piece, behind which the pieces of other key groups lie.
      job.disk.damage(path, (bytes) => {
        bytes[(at * 37) % bytes.length] ^= 1 << (at % 8);
        return bytes;
      });
      begin();
      while (turn());
      // The base of a chain is not read where its changes alone are merged.
      if (broken.length === 0) continue;
      found++;
      const [error] = broken;
      expect(error).toMatchObject({ code: 'CHECKPOINT_CORRUPT', where: { file: path } });
      expect(error.where.byteOffset).toBeLessThanOrEqual((at * 37) % 1_000_000);
      expect(job.newest).toBe(before);
      job.checkpoint(true);
      for (const { id } of job.store.retained.slice(1)) job.store.dispose(id);
      job.check();
      job.write(1, 1);
      job.checkpoint();
      begin();
      while (turn());
      expect(broken).toHaveLength(1);
      job.check();
    }
    expect(found).toBeGreaterThan(10);
  });

  it('leaves nothing of a merge that it is closed in', () => {
    const { job, merging, begin, turn } = longJob();
    begin();
    turn();
    merging.close();
    merging.close();
    expect(turn()).toBe(false);
    expect(sharedFiles(job).filter((path) => path.includes('-65535-'))).toEqual([]);
    job.check();
  });
});
