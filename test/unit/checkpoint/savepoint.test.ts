import { preparedNotes, preparedOutput } from '../../../src/checkpoint/prepared-output.js';
import { mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeDisk, walkFiles } from '../../../src/base/node-disk.js';
import type { CheckpointManifest } from '../../../src/checkpoint/contract.js';
import { RecoveryStore } from '../../../src/checkpoint/recovery-store.js';
import { deleteSnapshot, disposeSavepoint } from '../../../src/checkpoint/dispose-savepoint.js';
import { openCheckpoint, verifyState } from '../../../src/checkpoint/open-checkpoint.js';
import { Crash, SimDisk } from '../../simulation/sim-disk.js';
import {
  DIRECTORY,
  HOME,
  JOB_ID,
  openStore,
  stateOf,
  takeSnapshot,
  wantedState,
} from './checkpoint-script.js';

const TARGET = '/data/savepoints';

function takeSavepoint(
  disk: SimDisk,
  store: RecoveryStore,
  id: number,
): { readonly path: string; readonly manifest: CheckpointManifest } {
  store.begin(id, TARGET);
  expect(store.directoryOf(id)).toBe(`chk-${id}`);
  const manifest = { ...takeSnapshot(disk, store, id), kind: 'savepoint' as const };
  return { path: store.complete(manifest), manifest };
}

describe('savepoints', () => {
  it.each([false, true])('have all files inside, incremental: %s', (isIncremental) => {
    const disk = new SimDisk();
    const store = openStore(disk, { isIncremental });
    const { path, manifest } = takeSavepoint(disk, store, 1);
    expect(path).toMatch(/^\/data\/savepoints\/savepoint-abcdef-[0-9a-f]{12}$/);
    expect(disk.list(path)).toEqual(['_metadata', 'state-1-0-1', 'state-1-1-1']);
    expect(store.retained).toEqual([]);
    expect(stateOf(openCheckpoint(disk, path))).toEqual(wantedState(manifest));
    store.begin(2);
    store.discard(2);
    store.close();
    // Its output is not visible, and no checkpoint has come that would make it so.
    expect(disk.list(HOME).filter((name) => name !== 'shared')).toEqual([
      'epoch-1',
      'prepared-1-1',
    ]);
    expect(preparedOutput(disk, HOME)).toEqual(manifest.sinks);
    expect(stateOf(openCheckpoint(disk, `${path}/_metadata`))).toEqual(wantedState(manifest));
  });

  it('let nobody throw away what they hold, until a checkpoint of the same attempt has it', () => {
    const disk = new SimDisk();
    const first = openStore(disk);
    first.begin(1);
    first.complete(takeSnapshot(disk, first, 1));
    takeSavepoint(disk, first, 2);
    expect(preparedOutput(disk, HOME)).toEqual([
      { uid: 'out', plan: null, committables: [{ part: 'part-2' }] },
    ]);
    // After a kill.
    const second = openStore(disk);
    takeSavepoint(disk, second, 3);
    expect(preparedOutput(disk, HOME)).toHaveLength(2);
    second.begin(4);
    second.complete(takeSnapshot(disk, second, 4));
    second.begin(5);
    expect(preparedNotes(disk, HOME).map(({ name }) => name)).toEqual(['prepared-2-1']);
    disk.damage(`${HOME}/prepared-2-1`, (bytes) => bytes.fill(7, 30, 31));
    expect(() => preparedOutput(disk, HOME)).toThrow(
      expect.objectContaining({ code: 'CHECKPOINT_CORRUPT' }),
    );
    second.disposeAll();
    expect(preparedNotes(disk, HOME)).toEqual([]);
  });

  it('take in what they share with checkpoints', () => {
    const disk = new SimDisk();
    const store = openStore(disk, { isIncremental: true });
    store.begin(1);
    const first = takeSnapshot(disk, store, 1);
    store.complete(first);
    store.begin(2, TARGET);
    const manifest = { ...takeSnapshot(disk, store, 2, first), kind: 'savepoint' as const };
    const path = store.complete(manifest);
    expect(disk.list(path)).toEqual([
      '_metadata',
      'state-1-0-1',
      'state-1-1-1',
      'state-2-0-1',
      'state-2-1-1',
    ]);
    expect(stateOf(store.latest() ?? openCheckpoint(disk, `${HOME}/chk-1`))).toEqual(
      wantedState(first),
    );
    store.dispose(1);
    expect(stateOf(openCheckpoint(disk, path))).toEqual(wantedState(manifest));
  });

  it('are there wholly or not at all, at whatever operation the power goes', () => {
    const life = (disk: SimDisk): string => {
      const store = openStore(disk);
      const { path } = takeSavepoint(disk, store, 1);
      return path;
    };
    const clean = new SimDisk();
    const path = life(clean);
    const operations = clean.journal.length;
    const wanted = stateOf(openCheckpoint(clean, path));
    const outcomes = { none: 0, whole: 0 };
    for (let at = 1; at <= operations; at++) {
      for (const kind of ['kill', 'all', 'some', 'torn'] as const) {
        const disk = new SimDisk();
        disk.restart({ kind: 'kill' }, [{ at, kind: 'crash' }]);
        expect(() => life(disk)).toThrow(Crash);
        disk.restart({ kind, seed: at });
        if (disk.stat(`${path}/_metadata`) === null) outcomes.none++;
        else {
          outcomes.whole++;
          expect([at, kind, stateOf(openCheckpoint(disk, path))]).toEqual([at, kind, wanted]);
        }
      }
    }
    expect(outcomes.none).toBeGreaterThan(100);
    expect(outcomes.whole).toBeGreaterThan(0);
  });

  it('leave nothing at their target when they fail, at whatever operation', () => {
    const clean = new SimDisk();
    const count = openStore(clean);
    count.begin(1, TARGET);
    const before = takeSnapshot(clean, count, 1);
    const start = clean.journal.length;
    count.complete({ ...before, kind: 'savepoint' });
    const operations = clean.journal.length - start;
    let failures = 0;
    for (let at = 1; at <= operations; at++) {
      const disk = new SimDisk();
      const store = openStore(disk);
      store.begin(1, TARGET);
      const manifest = { ...takeSnapshot(disk, store, 1), kind: 'savepoint' as const };
      disk.restart({ kind: 'kill' }, [{ at, kind: 'EIO' }]);
      expect(() => store.complete(manifest)).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^FILE_UN/) }),
      );
      failures++;
      store.discard(1);
      expect(disk.list(TARGET)).toEqual([]);
      expect(disk.list(HOME)).toEqual(['epoch-1']);
    }
    expect(failures).toBeGreaterThan(10);
  });

  it('say before they are taken that their target cannot be written', () => {
    const disk = new SimDisk();
    const store = openStore(disk);
    disk.createNew('/data/file').close();
    expect(() => store.begin(1, '/data/file/savepoints')).toThrow(
      expect.objectContaining({ code: 'FILE_UNWRITABLE' }),
    );
    expect(disk.list(HOME)).toEqual(['epoch-1']);
  });
});

const pin = { jobName: 'heir', timestampMs: 7, isClaimed: false };

describe('disposeSavepoint', () => {
  it('deletes what belongs to the savepoint, and the directory when nothing else is there', () => {
    const disk = new SimDisk();
    const store = openStore(disk);
    const one = takeSavepoint(disk, store, 1).path;
    const two = takeSavepoint(disk, store, 2).path;
    disk.createNew(`${two}/notes.txt`).close();
    disk.damage(`${one}/_metadata`, (bytes) => bytes.subarray(1));
    disposeSavepoint(disk, one, DIRECTORY);
    disposeSavepoint(disk, `${two}/_metadata`, null);
    expect(disk.list(TARGET)).toEqual([two.slice(TARGET.length + 1)]);
    expect(disk.list(two)).toEqual(['notes.txt']);
    for (const path of [one, two]) {
      expect(() => disposeSavepoint(disk, path, DIRECTORY)).toThrow(
        expect.objectContaining({ code: 'CHECKPOINT_NOT_FOUND' }),
      );
    }
  });

  it('refuses as long as a job started from it and has no checkpoint of its own', () => {
    const disk = new SimDisk();
    const { path } = takeSavepoint(disk, openStore(disk), 1);
    const heir = openStore(disk, { jobId: 'heir' });
    heir.restoreFrom({ path: `${path}/_metadata`, ...pin });
    const needed = expect.objectContaining({
      code: 'CHECKPOINT_IN_USE',
      message: expect.stringContaining('heir'),
    });
    expect(heir.restoredFrom).toEqual({ path, ...pin });
    expect(() => disposeSavepoint(disk, path, DIRECTORY)).toThrow(needed);
    heir.close();
    // Restarted, it needs the savepoint once more; after a first checkpoint no longer.
    const again = openStore(disk, { jobId: 'heir' });
    expect(again.restoredFrom).toEqual({ path, ...pin });
    again.restoreFrom({ path, ...pin });
    expect(() => disposeSavepoint(disk, path, DIRECTORY)).toThrow(needed);
    const note = `${DIRECTORY}/heir/restored-from`;
    for (let at = 0; at < (disk.files().get(note)?.length ?? 0); at++) {
      const damaged = disk.copy();
      damaged.damage(note, (bytes) => bytes.fill(0, at, at + 1));
      expect(() => disposeSavepoint(damaged, path, DIRECTORY)).toThrow(
        expect.objectContaining({ code: 'CHECKPOINT_CORRUPT' }),
      );
    }
    again.begin(5);
    again.complete({ ...takeSnapshot(disk, again, 5), jobId: 'heir' });
    expect(again.restoredFrom).toBeNull();
    disposeSavepoint(disk, path, DIRECTORY);
    expect(disk.list(TARGET)).toEqual([]);
    again.begin(6);
    expect(disk.list(`${DIRECTORY}/heir`)).not.toContain('restored-from');
  });

  it.each([1, 2])('is done by a job that has claimed it, at %i of its own', (numRetained) => {
    const disk = new SimDisk();
    const { path } = takeSavepoint(disk, openStore(disk), 1);
    const heir = openStore(disk, { jobId: 'heir', numRetained });
    heir.restoreFrom({ path, ...pin, isClaimed: true });
    for (const id of [2, 3]) {
      heir.begin(id);
      heir.complete({ ...takeSnapshot(disk, heir, id), jobId: 'heir' });
      heir.begin(id + 10);
      heir.discard(id + 10);
      expect(disk.stat(path) === null).toBe(id - 1 >= numRetained);
    }
  });

  it('of a checkpoint that was claimed deletes what no other checkpoint beside it refers to', () => {
    const disk = new SimDisk();
    const store = openStore(disk, { isIncremental: true });
    const manifests: CheckpointManifest[] = [];
    for (const id of [1, 2, 3]) {
      store.begin(id);
      manifests.push(takeSnapshot(disk, store, id, id === 2 ? manifests[0] : null));
      store.complete(manifests.at(-1)!);
    }
    const damaged = disk.copy();
    damaged.damage(`${HOME}/chk-3/_metadata`, (bytes) => bytes.subarray(1));
    deleteSnapshot(damaged, `${HOME}/chk-2`);
    expect(damaged.list(`${HOME}/shared`)).toHaveLength(6);
    deleteSnapshot(disk, `${HOME}/chk-2`);
    expect(disk.stat(`${HOME}/chk-2`)).toBeNull();
    expect(disk.list(`${HOME}/shared`)).toHaveLength(4);
    for (const index of [0, 2]) {
      const { id } = manifests[index]!;
      const opened = openCheckpoint(disk, `${HOME}/chk-${id}`);
      expect(stateOf(opened)).toEqual(wantedState(manifests[index]!));
    }
    deleteSnapshot(disk, `${HOME}/chk-2`);
  });

  it('leaves checkpoints to their job', () => {
    const disk = new SimDisk();
    const store = openStore(disk);
    store.begin(1);
    store.complete(takeSnapshot(disk, store, 1));
    expect(() => disposeSavepoint(disk, `${HOME}/chk-1`, null)).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    );
    expect(store.retained).toHaveLength(1);
  });
});

describe('a real disk', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-store-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('keeps checkpoints that can be moved as a whole, and savepoints alone', () => {
    const directory = join(folder, 'checkpoints');
    const open = (): RecoveryStore =>
      new RecoveryStore({ disk: nodeDisk, directory, jobId: JOB_ID, isIncremental: true });
    const store = open();
    store.begin(1);
    const first = takeSnapshot(nodeDisk, store, 1);
    store.complete(first);
    store.begin(2);
    const second = takeSnapshot(nodeDisk, store, 2, first);
    store.complete(second);
    store.begin(3, join(folder, 'savepoints'));
    const third = { ...takeSnapshot(nodeDisk, store, 3, second), kind: 'savepoint' as const };
    const savepoint = store.complete(third);
    store.close();
    expect(walkFiles(join(directory, JOB_ID)).map((path) => path.slice(directory.length))).toEqual([
      `/${JOB_ID}/chk-1/_metadata`,
      `/${JOB_ID}/chk-2/_metadata`,
      `/${JOB_ID}/epoch-1/owner`,
      `/${JOB_ID}/prepared-3-1`,
      ...[1, 2].flatMap((id) => [0, 1].map((slot) => `/${JOB_ID}/shared/state-${id}-${slot}-1`)),
    ]);
    renameSync(join(directory, JOB_ID), join(folder, 'elsewhere'));
    renameSync(savepoint, join(folder, 'a savepoint'));
    for (const [path, manifest] of [
      ['elsewhere/chk-2', second],
      ['a savepoint', third],
      ['a savepoint/_metadata', third],
    ] as const) {
      const opened = openCheckpoint(nodeDisk, join(folder, path));
      verifyState(opened);
      expect(stateOf(opened)).toEqual(wantedState(manifest));
      opened.reader.close();
    }
  });

  it('has one owner at a time', () => {
    const directory = join(folder, 'checkpoints');
    const open = (): RecoveryStore =>
      new RecoveryStore({ disk: nodeDisk, directory, jobId: JOB_ID });
    const zombie = open();
    zombie.begin(1);
    const manifest = takeSnapshot(nodeDisk, zombie, 1);
    const heir = open();
    expect(heir.attempt).toBe(2);
    expect(() => zombie.complete(manifest)).toThrow(
      expect.objectContaining({ code: 'CHECKPOINT_FENCED' }),
    );
    heir.close();
    expect(walkFiles(folder)).toEqual([]);
  });

  it('tells which byte of which file is wrong', () => {
    const store = new RecoveryStore({ disk: nodeDisk, directory: folder, jobId: JOB_ID });
    store.begin(1);
    const manifest = takeSnapshot(nodeDisk, store, 1);
    const path = store.complete(manifest);
    const file = join(path, 'state-1-1-1');
    const last = manifest.pieces.at(-1)?.at;
    writeFileSync(file, readFileSync(file).fill(0, statSync(file).size - 1));
    const opened = openCheckpoint(nodeDisk, path);
    expect(() => verifyState(opened)).toThrow(
      expect.objectContaining({
        code: 'CHECKPOINT_CORRUPT',
        where: { file, byteOffset: last !== undefined && 'offset' in last ? last.offset : -1 },
      }),
    );
    opened.reader.close();
  });
});
