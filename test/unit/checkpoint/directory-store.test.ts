import { describe, expect, it } from 'vitest';
import type { CheckpointManifest } from '../../../src/checkpoint/contract.js';
import { RecoveryStore } from '../../../src/checkpoint/recovery-store.js';
import { findLatest, openCheckpoint } from '../../../src/checkpoint/open-checkpoint.js';
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

const namesIn = (disk: SimDisk): readonly string[] =>
  [...disk.files().keys()].map((path) => path.replace(`${HOME}/`, ''));

describe('RecoveryStore', () => {
  it('keeps a checkpoint under the names that Flink gives', () => {
    const disk = new SimDisk();
    const store = openStore(disk);
    store.begin(7);
    expect(store.directoryOf(7)).toBe('chk-7');
    const manifest = takeSnapshot(disk, store, 7);
    const path = store.complete(manifest);
    expect(path).toBe(`${HOME}/chk-7`);
    expect(store.retained).toEqual([{ id: 7, path }]);
    expect(namesIn(disk)).toEqual([
      'chk-7/_metadata',
      'chk-7/state-7-0-1',
      'chk-7/state-7-1-1',
      'epoch-1/owner',
    ]);
    for (const at of [path, `${path}/_metadata`]) {
      const opened = openCheckpoint(disk, at);
      expect(opened.manifest).toEqual(manifest);
      expect(stateOf(opened)).toEqual(wantedState(manifest));
      opened.reader.close();
    }
  });

  it('deletes a checkpoint with the shared files that no other one refers to', () => {
    const disk = new SimDisk();
    const store = openStore(disk, { isIncremental: true });
    const manifests: CheckpointManifest[] = [];
    for (const id of [1, 2, 3]) {
      store.begin(id);
      expect(store.directoryOf(id)).toBe('shared');
      // The third one begins a chain of its own.
      manifests.push(takeSnapshot(disk, store, id, id === 2 ? manifests[0] : null));
      store.complete(manifests.at(-1)!);
    }
    store.dispose(1);
    expect(stateOf(openCheckpoint(disk, `${HOME}/chk-2`))).toEqual(wantedState(manifests[1]!));
    store.dispose(2);
    expect(store.retained.map(({ id }) => id)).toEqual([3]);
    expect(namesIn(disk)).toEqual([
      'chk-3/_metadata',
      'epoch-1/owner',
      'shared/state-3-0-1',
      'shared/state-3-1-1',
    ]);
    store.dispose(3);
    store.close();
    expect(namesIn(disk)).toEqual([]);
    expect(disk.list(DIRECTORY)).toEqual([]);
  });

  it('shares files of those that others build on, also where not all do', () => {
    const disk = new SimDisk();
    const store = openStore(disk);
    const take = (of: RecoveryStore, id: number, isShared: boolean, base?: CheckpointManifest) => {
      of.begin(id, undefined, isShared);
      expect(of.directoryOf(id)).toBe(isShared ? 'shared' : `chk-${id}`);
      const manifest = takeSnapshot(disk, of, id, base ?? null);
      of.complete(manifest);
      return manifest;
    };
    take(store, 1, false);
    const base = take(store, 2, true);
    store.dispose(1);
    const changes = take(store, 3, true, base);
    store.dispose(2);
    expect(stateOf(openCheckpoint(disk, `${HOME}/chk-3`))).toEqual(wantedState(changes));
    // An attempt that shares none keeps what it goes on from until it has one of its own.
    const heir = openStore(disk);
    expect(stateOf(openCheckpoint(disk, `${HOME}/chk-3`))).toEqual(wantedState(changes));
    take(heir, 4, false);
    heir.dispose(3);
    expect(namesIn(disk).filter((name) => name.startsWith('shared/'))).toEqual([]);
    heir.dispose(4);
    heir.close();
    expect(disk.list(DIRECTORY)).toEqual([]);
  });

  it('deletes shared files by whatever number the slots of each attempt name them', () => {
    const disk = new SimDisk();
    const take = (store: RecoveryStore, id: number, slotsAttempt: number) => {
      store.begin(id);
      store.complete(takeSnapshot(disk, store, id, null, slotsAttempt));
    };
    const shared = () => namesIn(disk).filter((name) => name.startsWith('shared/'));
    const first = openStore(disk, { isIncremental: true, slotsAttempt: 4_000_000_000 });
    for (const id of [1, 2]) take(first, id, 4_000_000_000);
    first.dispose(1);
    expect(shared()).toEqual(['shared/state-2-0-4000000000', 'shared/state-2-1-4000000000']);
    const second = openStore(disk, { isIncremental: true, slotsAttempt: 7 });
    take(second, 3, 7);
    // Slots of an attempt that has begun since: whoever takes over deletes what they leave.
    disk.createNew(`${HOME}/shared/state-9-0-5`);
    second.dispose(2);
    expect(shared()).toEqual(['shared/state-3-0-7', 'shared/state-3-1-7', 'shared/state-9-0-5']);
    openStore(disk, { isIncremental: true });
    expect(shared()).toEqual(['shared/state-3-0-7', 'shared/state-3-1-7']);
  });

  it('throws away what an aborted checkpoint has written, and nothing of one that runs beside it', () => {
    const disk = new SimDisk();
    const store = openStore(disk, { isIncremental: true });
    store.begin(1);
    store.begin(2);
    takeSnapshot(disk, store, 1);
    const second = takeSnapshot(disk, store, 2);
    store.discard(1);
    store.discard(1);
    expect(namesIn(disk)).toEqual(['epoch-1/owner', 'shared/state-2-0-1', 'shared/state-2-1-1']);
    store.complete(second);
    expect(store.retained.map(({ id }) => id)).toEqual([2]);
  });

  it('collects at the next start what a killed attempt has left, and counts on from its numbers', () => {
    const disk = new SimDisk();
    const first = openStore(disk, { isIncremental: true });
    first.begin(1);
    const one = takeSnapshot(disk, first, 1);
    first.complete(one);
    first.begin(2);
    takeSnapshot(disk, first, 2, one);
    const second = openStore(disk, { isIncremental: true });
    expect(second.attempt).toBe(2);
    expect(second.lastId).toBe(2);
    expect(second.damaged).toEqual([]);
    expect(namesIn(disk)).toEqual([
      'chk-1/_metadata',
      'epoch-2/owner',
      'shared/state-1-0-1',
      'shared/state-1-1-1',
    ]);
    expect(stateOf(second.latest()!)).toEqual(wantedState(one));
  });

  it('lets no attempt complete, begin or delete anything once a later one has begun', () => {
    const disk = new SimDisk();
    const zombie = openStore(disk);
    zombie.begin(1);
    const manifest = takeSnapshot(disk, zombie, 1);
    zombie.complete(manifest);
    zombie.begin(2);
    const late = takeSnapshot(disk, zombie, 2);
    const heir = openStore(disk);
    const fencedError = expect.objectContaining({ code: 'CHECKPOINT_FENCED' });
    expect(() => zombie.complete(late)).toThrow(fencedError);
    expect(() => zombie.begin(3)).toThrow(fencedError);
    expect(() => zombie.dispose(1)).toThrow(fencedError);
    expect(() => zombie.discard(2)).toThrow(fencedError);
    zombie.close();
    expect(heir.retained.map(({ id }) => id)).toEqual([1]);
    expect(namesIn(disk)).toContain('chk-1/_metadata');
  });

  it('lets a later attempt see all that a zombie completes, whenever it takes over', () => {
    const count = (): number => {
      const disk = new SimDisk();
      const store = openStore(disk);
      store.begin(1);
      const manifest = takeSnapshot(disk, store, 1);
      const before = disk.journal.length;
      store.complete(manifest);
      return disk.journal.length - before;
    };
    const operations = count();
    const outcomes = { completed: 0, fenced: 0 };
    for (let at = 1; at <= operations; at++) {
      const disk = new SimDisk();
      const zombie = openStore(disk);
      zombie.begin(1);
      const manifest = takeSnapshot(disk, zombie, 1);
      let seen: readonly number[] | null = null;
      const start = disk.journal.length;
      disk.onOperation = () => {
        if (disk.journal.length !== start + at || seen !== null) return;
        seen = [];
        seen = openStore(disk).retained.map(({ id }) => id);
      };
      let isCompleted = true;
      try {
        zombie.complete(manifest);
        outcomes.completed++;
      } catch (error) {
        expect(error).toMatchObject({ code: 'CHECKPOINT_FENCED' });
        isCompleted = false;
        outcomes.fenced++;
      }
      expect(seen).not.toBeNull();
      expect([at, seen]).toEqual([at, isCompleted ? [1] : []]);
    }
    expect(outcomes.completed).toBeGreaterThan(0);
    expect(outcomes.fenced).toBeGreaterThan(5);
  });

  it.each([1, 2])(
    'lets one attempt own a directory that others claim at the same time: %d',
    (others) => {
      for (let at = 1; at <= 40; at++) {
        const disk = new SimDisk();
        openStore(disk);
        const start = disk.journal.length;
        let other: ReturnType<typeof openStore> | null = null;
        disk.onOperation = () => {
          if (disk.journal.length !== start + at || other !== null) return;
          disk.onOperation = () => undefined;
          for (let count = 0; count < others; count++) other = openStore(disk);
        };
        let owner: ReturnType<typeof openStore> | null = null;
        try {
          owner = openStore(disk);
        } catch (error) {
          expect(error).toMatchObject({ code: 'CHECKPOINT_FENCED' });
        }
        disk.onOperation = () => undefined;
        const owners = [owner, other].filter((each) => {
          if (each === null) return false;
          try {
            each.begin(50);
            return true;
          } catch (error) {
            expect(error).toMatchObject({ code: 'CHECKPOINT_FENCED' });
            return false;
          }
        });
        expect([at, owners.length]).toEqual([at, 1]);
      }
    },
  );

  it('deletes nothing of a later attempt, whenever that takes over', () => {
    for (const action of ['discard', 'dispose'] as const) {
      let isOver = false;
      for (let at = 1; !isOver; at++) {
        const disk = new SimDisk();
        const zombie = openStore(disk, { isIncremental: true });
        zombie.begin(1);
        zombie.complete(takeSnapshot(disk, zombie, 1));
        zombie.begin(2);
        takeSnapshot(disk, zombie, 2);
        const start = disk.journal.length;
        let kept: CheckpointManifest | null = null;
        disk.onOperation = () => {
          if (disk.journal.length !== start + at) return;
          disk.onOperation = () => undefined;
          const heir = openStore(disk, { isIncremental: true });
          const id = heir.lastId + 1;
          heir.begin(id);
          kept = takeSnapshot(disk, heir, id);
          heir.complete(kept);
        };
        try {
          zombie[action](action === 'discard' ? 2 : 1);
        } catch (error) {
          expect(error).toMatchObject({ code: 'CHECKPOINT_FENCED' });
        }
        isOver = kept === null;
        const { latest, damaged } = findLatest(disk, DIRECTORY, JOB_ID);
        expect([at, damaged]).toEqual([at, []]);
        if (kept !== null) expect(stateOf(latest!)).toEqual(wantedState(kept));
        else expect(at).toBeGreaterThan(8);
      }
    }
  });

  it('lets the end of a run touch nothing of another run, whenever that takes over', () => {
    let isOver = false;
    for (let at = 1; !isOver; at++) {
      const disk = new SimDisk();
      const options = { disk, directory: DIRECTORY, jobId: JOB_ID, owner: 'first' };
      const first = new RecoveryStore(options);
      first.begin(1);
      first.complete(takeSnapshot(disk, first, 1));
      const start = disk.journal.length;
      let kept: CheckpointManifest | null = null;
      disk.onOperation = () => {
        if (disk.journal.length !== start + at) return;
        disk.onOperation = () => undefined;
        const heir = openStore(disk, { owner: 'second' });
        const id = heir.lastId + 1;
        heir.begin(id);
        kept = takeSnapshot(disk, heir, id);
        heir.complete(kept);
      };
      try {
        RecoveryStore.after(options)?.finish({ jobName: 'a', params: null, timestampMs: 1 });
      } catch (error) {
        expect(error).toMatchObject({ code: 'CHECKPOINT_FENCED' });
      }
      isOver = kept === null;
      const { latest, damaged } = findLatest(disk, DIRECTORY, JOB_ID);
      expect([at, damaged]).toEqual([at, []]);
      if (kept !== null) expect(stateOf(latest!)).toEqual(wantedState(kept));
      else expect(at).toBeGreaterThan(20);
    }
  });

  it('notes the end of a job before anything that it could go on from is gone, at whatever crash', () => {
    for (const loss of [{ kind: 'all' }, { kind: 'kill' }] as const) {
      let isOver = false;
      for (let at = 1; !isOver; at++) {
        const disk = new SimDisk();
        const store = openStore(disk, { isIncremental: true, owner: 'one' });
        store.begin(1);
        store.complete(takeSnapshot(disk, store, 1));
        disk.restart({ kind: 'kill' }, [{ kind: 'crash', at }]);
        const options = { disk, directory: DIRECTORY, jobId: JOB_ID, owner: 'one' };
        const job = { jobName: 'a', params: { days: 3 }, timestampMs: 7 };
        isOver = true;
        try {
          RecoveryStore.after({ ...options, isIncremental: true })?.finish(job);
        } catch (error) {
          isOver = false;
          if (!(error instanceof Crash)) throw error;
        }
        disk.restart(loss);
        const next = openStore(disk, { isIncremental: true });
        const { finished } = next;
        if (finished === null) expect(next.latest()?.manifest.id).toBe(1);
        else {
          expect(finished).toMatchObject({ ...job, jobId: JOB_ID });
          next.disposeAll();
          expect(namesIn(disk).filter((name) => !name.startsWith('epoch-'))).toEqual(['finished']);
          next.forgetEnd();
          next.close();
          expect(namesIn(disk)).toEqual([]);
        }
        if (isOver) expect(at).toBeGreaterThan(20);
      }
    }
  });

  it('makes durable what an attempt before did not, since it is relied upon from now on', () => {
    const before = new SimDisk();
    before.makeDirectory(DIRECTORY);
    const disk = before.copy();
    const careless = openStore(disk, { fsync: 'never' });
    careless.begin(1);
    const manifest = takeSnapshot(disk, careless, 1);
    careless.complete(manifest);
    expect(openStore(disk).latest()?.manifest.id).toBe(1);
    disk.restart({ kind: 'all' });
    const { latest, damaged } = findLatest(disk, DIRECTORY, JOB_ID);
    expect(damaged).toEqual([]);
    expect(stateOf(latest!)).toEqual(wantedState(manifest));
  });

  it('completes nothing whose files are not as slots said', () => {
    const disk = new SimDisk();
    const store = openStore(disk);
    store.begin(1);
    const manifest = takeSnapshot(disk, store, 1);
    const path = `${HOME}/chk-1/state-1-1-1`;
    disk.damage(path, (bytes) => bytes.subarray(0, -1));
    expect(() => store.complete(manifest)).toThrow(
      expect.objectContaining({
        code: 'CHECKPOINT_CORRUPT',
        where: expect.objectContaining({ file: path }),
      }),
    );
    store.discard(1);
    expect(store.retained).toEqual([]);
    expect(namesIn(disk)).toEqual(['epoch-1/owner']);
  });

  it('relies on no directory that a process was killed before it had made durable', () => {
    const clean = new SimDisk();
    openStore(clean);
    const operations = clean.journal.length;
    for (let at = 1; at <= operations; at++) {
      const disk = new SimDisk();
      disk.restart({ kind: 'kill' }, [{ at, kind: 'crash' }]);
      expect(() => openStore(disk)).toThrow(Crash);
      disk.restart({ kind: 'kill' });
      const store = openStore(disk);
      store.begin(1);
      store.complete(takeSnapshot(disk, store, 1));
      disk.restart({ kind: 'all' });
      expect([at, findLatest(disk, DIRECTORY, JOB_ID).latest?.manifest.id]).toEqual([at, 1]);
    }
    expect(operations).toBeGreaterThan(10);
  });

  it('syncs nothing when it is told so', () => {
    const disk = new SimDisk();
    const store = openStore(disk, { fsync: 'never' });
    store.begin(1);
    store.complete(takeSnapshot(disk, store, 1));
    store.dispose(1);
    store.close();
    expect(disk.journal.filter((each) => each.startsWith('sync'))).toEqual([]);
  });

  it('refuses ids that would lead out of its directory', () => {
    for (const jobId of ['', '..', 'a/b', '.hidden']) {
      expect(() => openStore(new SimDisk(), { jobId })).toThrow(
        expect.objectContaining({ code: 'OPTION_INVALID' }),
      );
    }
  });

  it('goes on after a disk was full, with what it had before', () => {
    const before = new SimDisk();
    const earlier = openStore(before);
    earlier.begin(1);
    const first = takeSnapshot(before, earlier, 1);
    earlier.complete(first);
    const used = [...before.files().values()].reduce((sum, { length }) => sum + length, 0);
    let isFull = true;
    let free = 0;
    for (; isFull; free++) {
      const disk = before.copy();
      const store = openStore(disk);
      store.begin(2);
      disk.capacity = used + free;
      try {
        store.complete(takeSnapshot(disk, store, 2));
        isFull = false;
      } catch (error) {
        expect(error).toMatchObject({ code: 'FILE_UNWRITABLE' });
        store.discard(2);
        const { latest, damaged } = findLatest(disk, DIRECTORY, JOB_ID);
        expect(damaged).toEqual([]);
        expect(stateOf(latest!)).toEqual(wantedState(first));
      }
      disk.capacity = Number.POSITIVE_INFINITY;
      store.begin(3);
      const third = takeSnapshot(disk, store, 3);
      expect(stateOf(openCheckpoint(disk, store.complete(third)))).toEqual(wantedState(third));
    }
    expect(free).toBeGreaterThan(500);
  });
});

describe('loss of power, and the death of the process', () => {
  it('leaves no checkpoint half there, at whatever operation it comes', () => {
    const lives = { points: 0, crashes: 0 };
    for (const isIncremental of [false, true]) {
      const clean = new SimDisk();
      script(clean, isIncremental, new Map());
      const operations = clean.journal.length;
      expect(operations).toBeGreaterThan(100);
      for (let at = 1; at <= operations; at++) {
        for (const kind of ['kill', 'all', 'some', 'torn'] as const) {
          const disk = new SimDisk();
          disk.restart({ kind: 'kill' }, [{ at, kind: 'crash' }]);
          const written = new Map<number, CheckpointManifest>();
          const completed = crashIn(() => script(disk, isIncremental, written));
          expect(completed).not.toBeNull();
          disk.restart({ kind, seed: at });
          checkRecovery(disk, written, completed!, `${kind} at ${at}`);
          lives.points++;
          // The next life goes well and leaves nothing behind.
          const again = new Map<number, CheckpointManifest>();
          script(disk, isIncremental, again);
          expect(garbageIn(disk, isIncremental)).toEqual([]);
        }
      }
    }
    expect(lives.points).toBeGreaterThan(800);
  });

  it('holds in recovery too, and in the recovery from that', () => {
    let crashes = 0;
    for (let first = 40; first <= 120; first += 16) {
      for (let second = 1; second <= 90; second += 3) {
        for (const third of [5, 20, 45]) {
          const disk = new SimDisk();
          const written = new Map<number, CheckpointManifest>();
          let completed = 0;
          for (const [life, at] of [first, second, third].entries()) {
            disk.restart({ kind: 'torn', seed: first * 1000 + second * 10 + life }, [
              { at, kind: 'crash' },
            ]);
            const reached = crashIn(() => script(disk, true, written));
            completed = Math.max(completed, reached ?? 0);
            if (reached !== null) crashes++;
          }
          disk.restart({ kind: 'torn', seed: second });
          checkRecovery(disk, written, completed, `${first} ${second} ${third}`);
        }
      }
    }
    expect(crashes).toBeGreaterThan(500);
  });
});

describe('a disk that fails', () => {
  it.each([false, true])(
    'once or from some operation on loses nothing that was completed, incremental: %s',
    (isIncremental) => {
      const clean = new SimDisk();
      script(clean, isIncremental, new Map());
      const operations = clean.journal.length;
      let failures = 0;
      for (let at = 1; at <= operations; at++) {
        for (const until of [at, Number.POSITIVE_INFINITY]) {
          const disk = new SimDisk();
          disk.restart({ kind: 'kill' }, [{ at, until, kind: 'EIO' }]);
          const written = new Map<number, CheckpointManifest>();
          try {
            script(disk, isIncremental, written);
          } catch (error) {
            expect(error).toMatchObject({ code: expect.stringMatching(/^FILE_UN/) });
            failures++;
          }
          disk.restart({ kind: 'kill' });
          checkRecovery(disk, written, lastCompleted, `${at} until ${until}`);
          script(disk, isIncremental, new Map());
          expect(garbageIn(disk, isIncremental)).toEqual([]);
        }
      }
      expect(failures).toBeGreaterThan(200);
    },
  );

  it('goes on in the same attempt, with what failed discarded and nothing left of it', () => {
    const run = (fault: number, until: number): { failures: number; operations: number } => {
      const disk = new SimDisk();
      const store = openStore(disk, { isIncremental: true });
      store.begin(1);
      const base = takeSnapshot(disk, store, 1);
      store.complete(base);
      disk.restart({ kind: 'kill' }, [{ at: fault, until, kind: 'EIO' }]);
      let failures = 0;
      try {
        store.begin(2);
        store.complete(takeSnapshot(disk, store, 2, base));
        store.dispose(1);
      } catch (error) {
        expect(error).toMatchObject({ code: expect.stringMatching(/^FILE_UN/) });
        failures++;
      }
      const operations = disk.journal.length;
      disk.restart({ kind: 'kill' });
      if (failures > 0 && !store.retained.some(({ id }) => id === 2)) store.discard(2);
      store.begin(3);
      const third = takeSnapshot(disk, store, 3);
      store.complete(third);
      for (const { id } of store.retained.slice(1)) store.dispose(id);
      expect([...disk.files().keys()].map((path) => path.slice(HOME.length + 1))).toEqual([
        'chk-3/_metadata',
        'epoch-1/owner',
        'shared/state-3-0-1',
        'shared/state-3-1-1',
      ]);
      expect(disk.list(HOME)).toEqual(['chk-3', 'epoch-1', 'shared']);
      disk.restart({ kind: 'all' });
      const { latest, damaged } = findLatest(disk, DIRECTORY, JOB_ID);
      expect([fault, damaged]).toEqual([fault, []]);
      expect(stateOf(latest!)).toEqual(wantedState(third));
      return { failures, operations };
    };
    const { operations } = run(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
    let failures = 0;
    for (let at = 1; at <= operations; at++) {
      failures += run(at, at).failures + run(at, Number.POSITIVE_INFINITY).failures;
    }
    expect(operations).toBeGreaterThan(30);
    expect(failures).toBeGreaterThan(operations);
  });
});

let lastCompleted = 0;

/** Three checkpoints with the last two retained; gives the newest completed. Numbers go on over lives. */
function script(
  disk: SimDisk,
  isIncremental: boolean,
  written: Map<number, CheckpointManifest>,
): number {
  lastCompleted = 0;
  const store = openStore(disk, { isIncremental });
  let base = store.latest()?.manifest ?? null;
  expect(store.damaged).toEqual([]);
  lastCompleted = base?.id ?? 0;
  for (let count = 0; count < 3; count++) {
    const id = store.lastId + 1;
    store.begin(id);
    const manifest = takeSnapshot(disk, store, id, isIncremental && id % 3 !== 0 ? base : null);
    written.set(id, manifest);
    store.complete(manifest);
    lastCompleted = id;
    base = manifest;
    for (const old of store.retained.slice(2)) store.dispose(old.id);
  }
  store.close();
  return lastCompleted;
}

/** The newest checkpoint that had completed before the crash; null when there was no crash. */
function crashIn(action: () => unknown): number | null {
  try {
    action();
    return null;
  } catch (error) {
    if (error instanceof Crash) return lastCompleted;
    throw error;
  }
}

/** What is found is the last one that was told to have completed, or the one after; it is equal, and nothing is damaged. */
function checkRecovery(
  disk: SimDisk,
  written: ReadonlyMap<number, CheckpointManifest>,
  completed: number,
  where: string,
): void {
  const { latest, damaged } = findLatest(disk, DIRECTORY, JOB_ID);
  expect([where, damaged]).toEqual([where, []]);
  const id = latest?.manifest.id ?? 0;
  expect([where, id >= completed]).toEqual([where, true]);
  if (latest !== null) {
    const wanted = written.get(id);
    expect([where, stateOf(latest)]).toEqual([where, wantedState(wanted!)]);
  }
}

/** Files that no checkpoint of the job refers to. */
function garbageIn(disk: SimDisk, isIncremental: boolean): readonly string[] {
  const store = openStore(disk, { isIncremental });
  const needed = new Set<string>();
  for (const { path } of store.retained) {
    needed.add(`${path}/_metadata`);
    const { manifest } = openCheckpoint(disk, path);
    for (const file of manifest.files) needed.add(`${HOME}/${file.path}`);
  }
  needed.add(`${HOME}/epoch-${store.attempt}/owner`);
  return [...disk.files().keys()].filter((path) => !needed.has(path));
}
