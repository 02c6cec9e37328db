/** A job with one table whose checkpoints build on each other, for tests of merges. */
import { expect } from 'vitest';
import { ChainMerge } from '../../../src/checkpoint/chain-merge.js';
import type { CheckpointManifest } from '../../../src/checkpoint/contract.js';
import type { RecoveryStore } from '../../../src/checkpoint/recovery-store.js';
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

/** A job with one table. */
export class TableJob {
  readonly disk = new SimDisk();
  readonly store: RecoveryStore = openStore(this.disk, { isIncremental: true });
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
      operators: [
        { uid: 'op', name: 'op', parallelism: 1, maxParallelism: KEY_GROUPS, isFinished: false },
      ],
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

/** The files that checkpoints share. */
export const sharedFiles = ({ disk }: TableJob): readonly string[] =>
  [...disk.files().keys()].filter((path) => path.startsWith(`${HOME}/shared/`));
