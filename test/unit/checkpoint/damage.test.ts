/** Every kind of damage to every file of small checkpoints: it is named, or does nothing, and the one before is used. */
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../../src/base/errors.js';
import type { CheckpointManifest } from '../../../src/checkpoint/contract.js';
import { findLatest, openCheckpoint } from '../../../src/checkpoint/open-checkpoint.js';
import { SimDisk } from '../../simulation/sim-disk.js';
import {
  DIRECTORY,
  HOME,
  JOB_ID,
  openStore,
  stateOf,
  takeSnapshot,
  wantedState,
} from './checkpoint-script.js';

interface Sample {
  readonly disk: SimDisk;
  readonly first: CheckpointManifest;
  readonly second: CheckpointManifest;
}

/** Two whole checkpoints; the second one, if incremental, builds on the first. */
function sample(isIncremental: boolean, buildsOn = isIncremental): Sample {
  const disk = new SimDisk();
  const store = openStore(disk, { isIncremental });
  store.begin(1);
  const first = takeSnapshot(disk, store, 1);
  store.complete(first);
  store.begin(2);
  const second = takeSnapshot(disk, store, 2, buildsOn ? first : null);
  store.complete(second);
  return { disk, first, second };
}

/** The files that only the newest checkpoint needs. */
const filesOfSecond = (disk: SimDisk): readonly string[] =>
  [...disk.files().keys()].filter((path) => /chk-2\/|state-2-/.test(path));

type Change = (bytes: Uint8Array) => Uint8Array | null;

/** What becomes of a damaged copy: the same state, or the one before and an error that names the file. */
function outcomeOf({ disk, first, second }: Sample, path: string, change: Change): string {
  const damaged = disk.copy();
  damaged.damage(path, change);
  const found = findLatest(damaged, DIRECTORY, JOB_ID);
  const { latest } = found;
  if (latest?.manifest.id === 2) {
    expect(found.damaged).toEqual([]);
    expect(stateOf(latest)).toEqual(wantedState(second));
    return 'equal';
  }
  expect(stateOf(latest!)).toEqual(wantedState(first));
  const [bad, ...others] = found.damaged;
  if (bad === undefined) return 'gone';
  expect(others).toEqual([]);
  expect(bad.path).toBe(`${HOME}/chk-2`);
  expect(bad.error.code).toBe('CHECKPOINT_CORRUPT');
  expect(bad.error.where.file).toBe(path);
  expect(bad.error.where.byteOffset).toBeGreaterThanOrEqual(0);
  expect(bad.error.advice).not.toBeNull();
  return 'named';
}

describe.each([false, true])('damage to a checkpoint, incremental: %s', (isIncremental) => {
  const samples = sample(isIncremental);
  const { disk } = samples;

  it('is found for a bit flipped in any byte of any file', () => {
    let flips = 0;
    for (const path of filesOfSecond(disk)) {
      const length = disk.files().get(path)?.length ?? 0;
      expect(length).toBeGreaterThan(100);
      for (let at = 0; at < length; at++) {
        const flip: Change = (bytes) => {
          bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8));
          return bytes;
        };
        expect([path, at, outcomeOf(samples, path, flip)]).toEqual([path, at, 'named']);
        flips++;
      }
    }
    expect(flips).toBeGreaterThan(1400);
  });

  it('is found for a file cut off at any length, or grown', () => {
    for (const path of filesOfSecond(disk)) {
      const length = disk.files().get(path)?.length ?? 0;
      for (let at = 0; at < length; at++) {
        const outcome = outcomeOf(samples, path, (bytes) => bytes.subarray(0, at));
        expect([path, at, outcome]).toEqual([path, at, 'named']);
      }
      const grown = outcomeOf(samples, path, (bytes) => new Uint8Array([...bytes, 0]));
      expect([path, grown]).toEqual([path, 'named']);
    }
  });

  it('is found for a file that is gone; without metadata it was never completed', () => {
    for (const path of filesOfSecond(disk)) {
      const outcome = outcomeOf(samples, path, () => null);
      expect([path, outcome]).toEqual([path, path.endsWith('_metadata') ? 'gone' : 'named']);
    }
  });

  it('is found for bytes of another file, also one of the same length', () => {
    const all = [...disk.files()].filter(([, { length }]) => length > 0);
    let swaps = 0;
    for (const path of filesOfSecond(disk)) {
      for (const [other, bytes] of all.filter(([each]) => each !== path)) {
        const outcome = outcomeOf(samples, path, () => bytes);
        expect([path, other, outcome]).toEqual([path, other, 'named']);
        swaps++;
      }
    }
    expect(swaps).toBeGreaterThanOrEqual(15);
  });

  it('is found for pieces that changed places within their file', () => {
    const { second } = samples;
    const places = second.pieces.map(({ at }) => at).filter((at) => 'file' in at);
    const own = places.filter(({ file }) => file.includes('state-2-0'));
    const [one, two] = own;
    if (one === undefined || two === undefined) throw new Error('the sample has two such pieces');
    const length = Math.min(one.length, two.length);
    const swap: Change = (bytes) => {
      const kept = bytes.slice(one.offset, one.offset + length);
      bytes.copyWithin(one.offset, two.offset, two.offset + length);
      bytes.set(kept, two.offset);
      return bytes;
    };
    expect(outcomeOf(samples, `${HOME}/${one.file}`, swap)).toBe('named');
  });
});

describe('damage to what several checkpoints share', () => {
  it('goes back behind all of them, and names each', () => {
    const { disk } = sample(true);
    const store = openStore(disk, { isIncremental: true });
    const path = `${HOME}/shared/state-1-0-1`;
    disk.damage(path, (bytes) => bytes.fill(7, 50, 51));
    const { latest, damaged } = findLatest(disk, DIRECTORY, JOB_ID);
    expect(latest).toBeNull();
    expect(damaged.map((each) => [each.path, each.error.where.file])).toEqual([
      [`${HOME}/chk-2`, path],
      [`${HOME}/chk-1`, path],
    ]);
    expect(store.latest()).toBeNull();
    expect(store.retained).toEqual([]);
    expect(store.damaged.map((each) => each.path)).toEqual([`${HOME}/chk-1`, `${HOME}/chk-2`]);
  });

  it('keeps what is damaged until a checkpoint has completed, and nothing after', () => {
    const { disk } = sample(true);
    disk.damage(`${HOME}/chk-2/_metadata`, (bytes) => bytes.fill(7, 50, 52));
    const store = openStore(disk, { isIncremental: true });
    expect(store.damaged).toHaveLength(1);
    expect(disk.files().has(`${HOME}/shared/state-2-0-1`)).toBe(true);
    const base = store.latest()!.manifest;
    expect(base.id).toBe(1);
    expect(store.lastId).toBe(2);
    store.begin(3);
    expect(disk.files().has(`${HOME}/chk-2/_metadata`)).toBe(true);
    const manifest = takeSnapshot(disk, store, 3, base);
    store.complete(manifest);
    store.dispose(1);
    expect([...disk.files().keys()].map((path) => path.slice(HOME.length + 1))).toEqual([
      'chk-3/_metadata',
      'epoch-2/owner',
      'shared/state-1-0-1',
      'shared/state-1-1-1',
      'shared/state-3-0-2',
      'shared/state-3-1-2',
    ]);
    expect(stateOf(openCheckpoint(disk, `${HOME}/chk-3`))).toEqual(wantedState(manifest));
  });
});

describe('what is no damage', () => {
  it('is a disk that does not answer: the error is thrown, once and for as long as it lasts', () => {
    const { disk } = sample(true);
    const clean = disk.copy();
    findLatest(clean, DIRECTORY, JOB_ID);
    const operations = clean.journal.length;
    expect(operations).toBeGreaterThan(20);
    for (let at = 1; at <= operations; at++) {
      for (const until of [at, Number.POSITIVE_INFINITY]) {
        const failing = disk.copy();
        failing.restart({ kind: 'kill' }, [{ at, until, kind: 'EIO' }]);
        expect(() => findLatest(failing, DIRECTORY, JOB_ID)).toThrow(
          expect.objectContaining({ code: 'FILE_UNREADABLE', retryable: true }),
        );
      }
    }
  });

  it('is a checkpoint of a later version: it is refused by name, not passed over', () => {
    const { disk } = sample(false);
    disk.damage(`${HOME}/chk-2/_metadata`, (bytes) => asVersion(bytes, 2));
    const refused = expect.objectContaining({
      code: 'CHECKPOINT_VERSION_UNSUPPORTED',
      message: expect.stringContaining('version 2'),
      where: { file: `${HOME}/chk-2/_metadata` },
    });
    expect(() => findLatest(disk, DIRECTORY, JOB_ID)).toThrow(refused);
    expect(() => openStore(disk)).toThrow(refused);
    expect(() => openCheckpoint(disk, `${HOME}/chk-2`)).toThrow(refused);
  });
});

describe('metadata of another place', () => {
  it('is told when a checkpoint of another number or job lies there', () => {
    const { disk } = sample(false);
    const first = disk.files().get(`${HOME}/chk-1/_metadata`)!;
    disk.damage(`${HOME}/chk-2/_metadata`, () => first);
    expect(errorOf(() => openCheckpoint(disk, `${HOME}/chk-2`)).message).toContain('checkpoint 1');
    const { disk: other } = sample(false);
    other.makeDirectory(`${DIRECTORY}/copy/chk-1`);
    for (const name of ['_metadata', 'state-1-0-1', 'state-1-1-1']) {
      const file = other.createNew(`${DIRECTORY}/copy/chk-1/${name}`);
      file.write(other.files().get(`${HOME}/chk-1/${name}`)!);
    }
    const { latest, damaged } = findLatest(other, DIRECTORY, 'copy');
    expect(latest).toBeNull();
    expect(damaged[0]?.error.message).toContain(`of the job ${JOB_ID}`);
    // By path it is opened, since copying a checkpoint is no damage.
    expect(openCheckpoint(other, `${DIRECTORY}/copy/chk-1`).manifest.id).toBe(1);
  });

  it('is not found where nothing is, or nothing complete', () => {
    const { disk } = sample(false);
    disk.makeDirectory(`${HOME}/chk-9`);
    for (const path of [`${HOME}/chk-8`, `${HOME}/chk-9`, `${HOME}/chk-9/_metadata`]) {
      expect(errorOf(() => openCheckpoint(disk, path))).toMatchObject({
        code: 'CHECKPOINT_NOT_FOUND',
        message: expect.stringContaining(path),
      });
    }
  });
});

/** The same with another format version and a checksum that is right. */
function asVersion(bytes: Uint8Array, version: number): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  view.setUint32(8, version, true);
  view.setUint32(12, crc32(bytes.subarray(16), crc32(bytes.subarray(0, 12))), true);
  return bytes;
}

function errorOf(action: () => unknown): MillraceError {
  try {
    action();
  } catch (error) {
    if (MillraceError.is(error)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
