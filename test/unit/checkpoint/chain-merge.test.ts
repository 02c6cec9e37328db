import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChainMerge } from '../../../src/checkpoint/chain-merge.js';
import type { CheckpointManifest } from '../../../src/checkpoint/contract.js';
import type { DirectoryStore } from '../../../src/checkpoint/directory-store.js';
import { openCheckpoint } from '../../../src/checkpoint/open-checkpoint.js';
import { SlotFileWriter } from '../../../src/checkpoint/slot-file-writer.js';
import { PAGE_SHIFT, type StateTable, type TableSpec } from '../../../src/state/contract.js';
import { createHotTable } from '../../../src/state/hot-table.js';
import { loadTable } from '../../../src/state/table-snapshot.js';
import { applyEntries, printRows, TableDriver } from '../../contract/state-table-model.js';
import { SimDisk } from '../../simulation/sim-disk.js';
import { piecesOf } from '../state/state-fixtures.js';
import { HOME, JOB_ID, openStore } from './checkpoint-script.js';

const KEY_GROUPS = 3;
const SPEC: TableSpec = {
  name: 'sums',
  keys: [{ kind: 'number' }],
  columns: [{ name: 'sum', form: 'f64' }],
  ttlMs: null,
};

const open = (): StateTable => createHotTable(SPEC, { keyGroups: { start: 0, end: KEY_GROUPS } });

function contentOf(table: StateTable): readonly string[] {
  const entries = [0, 1, 2].flatMap((group) => [...table.entriesOf(group)]);
  return printRows(applyEntries(new Map(), entries).values(), true);
}

/** A job with one table, whose checkpoints build on each other. */
class Job {
  readonly disk = new SimDisk();
  readonly store: DirectoryStore = openStore(this.disk, { isIncremental: true });
  readonly driver = new TableDriver(open(), KEY_GROUPS);
  readonly contents = new Map<number, readonly string[]>();
  readonly inlineBytesMax: number;
  newest: CheckpointManifest | null = null;
  writtenBytes = 0;

  constructor(inlineBytesMax = 0) {
    this.inlineBytesMax = inlineBytesMax;
  }

  write(key: number, sum: number | null): void {
    const { driver } = this;
    if (sum !== null) return driver.write(driver.upsert([key]), [sum], PAGE_SHIFT);
    const entry = driver.find([key]);
    if (entry >= 0) driver.table.remove(entry);
  }

  checkpoint(isFull = false): CheckpointManifest {
    const { disk, store } = this;
    const id = store.lastId + 1;
    store.begin(id);
    const base = isFull ? null : this.newest;
    const writer = new SlotFileWriter({
      disk,
      root: store.root,
      directory: store.directoryOf(id),
      checkpoint: id,
      slot: 0,
      attempt: store.attempt,
      inlineBytesMax: this.inlineBytesMax,
    });
    const begun = new Set<number>();
    const pieces = piecesOf(this.driver.table, { full: base === null, isConfirmable: true }).map(
      ({ keyGroup, bytes }) => {
        const identity = { uid: 'op', name: 'sums', keyGroup };
        const isChanges = base !== null || begun.has(keyGroup);
        begun.add(keyGroup);
        return { ...identity, isChanges, subtask: 0, at: writer.write(identity, bytes) };
      },
    );
    const file = writer.seal();
    this.writtenBytes += writer.bytes;
    const all = [...(base?.pieces ?? []), ...pieces];
    const used = new Set(all.flatMap(({ at }) => ('file' in at ? [at.file] : [])));
    const files = [...(base?.files ?? []), ...(file === null ? [] : [file])];
    const manifest: CheckpointManifest = {
      id,
      kind: 'checkpoint',
      timestampMs: id,
      jobId: JOB_ID,
      jobName: 'job',
      attempt: store.attempt,
      params: null,
      operators: [],
      sources: [],
      sinks: [],
      pieces: all,
      files: files.filter(({ path }) => used.has(path)),
    };
    store.complete(manifest);
    this.newest = manifest;
    this.contents.set(id, contentOf(this.driver.table));
    return manifest;
  }

  begin(): ChainMerge {
    if (this.newest === null) throw new Error('there is no checkpoint');
    const { disk, store, newest: manifest, inlineBytesMax } = this;
    return new ChainMerge({ disk, root: store.root, store, manifest, inlineBytesMax });
  }

  end(merge: ChainMerge): void {
    if (this.newest !== null) this.newest = merge.finish(this.newest);
  }

  merge(): void {
    const merge = this.begin();
    while (!merge.step());
    this.end(merge);
  }

  /** Retained checkpoints give what there was when they were taken. */
  check(newest = Number.POSITIVE_INFINITY): void {
    for (const { id, path } of this.store.retained.slice(0, newest)) {
      const { manifest, reader } = openCheckpoint(this.disk, path);
      const table = open();
      loadTable(
        table,
        manifest.pieces.map((piece) => ({ bytes: reader.read(piece) })),
      );
      reader.close();
      expect([id, contentOf(table)]).toEqual([id, this.contents.get(id)]);
    }
  }
}

const sharedFiles = ({ disk }: Job): readonly string[] =>
  [...disk.files().keys()].filter((path) => path.startsWith(`${HOME}/shared/`));

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
        const job = new Job(inlineBytesMax);
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
    const job = new Job();
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
    const job = new Job();
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
    const job = new Job();
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
    const job = new Job();
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
    const job = new Job();
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
