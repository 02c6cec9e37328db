/**
 * Random histories of a checkpoint store, with crashes, losses of power, failing disks and takeovers, against a model
 * that knows which checkpoints there should be. After every step each of them restores as it was written, and the disk
 * holds nothing else.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../src/base/errors.js';
import type { CheckpointManifest } from '../../src/checkpoint/contract.js';
import type { RecoveryStore } from '../../src/checkpoint/recovery-store.js';
import { findLatest, openCheckpoint } from '../../src/checkpoint/open-checkpoint.js';
import { Crash, type Loss, SimDisk } from '../simulation/sim-disk.js';
import {
  DIRECTORY,
  HOME,
  JOB_ID,
  openStore,
  stateOf,
  takeSnapshot,
  wantedState,
} from '../unit/checkpoint/checkpoint-script.js';

type Step =
  | { readonly kind: 'begin'; readonly buildsOn: boolean }
  | { readonly kind: 'complete' | 'discard' | 'dispose'; readonly which: number }
  | { readonly kind: 'fail'; readonly at: number; readonly length: number; readonly which: number }
  | { readonly kind: 'crash'; readonly at: number; readonly which: number; readonly loss: Loss }
  | { readonly kind: 'takeover' };

const which = fc.nat({ max: 3 });
const loss: fc.Arbitrary<Loss> = fc.oneof(
  fc.constantFrom({ kind: 'kill' as const }, { kind: 'all' as const }),
  fc.record({ kind: fc.constantFrom('some' as const, 'torn' as const), seed: fc.nat() }),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('begin'), buildsOn: fc.boolean() }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom('complete', 'complete', 'discard', 'dispose'),
      which,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('fail'),
      at: fc.integer({ min: 1, max: 30 }),
      length: fc.constantFrom(1, 2, 1000),
      which,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('crash'),
      at: fc.integer({ min: 1, max: 30 }),
      which,
      loss,
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'takeover' }) },
) as fc.Arbitrary<Step>;

/** A store beside what it should hold. */
class History {
  readonly disk = new SimDisk();
  readonly retained = new Map<number, CheckpointManifest>();
  readonly pending = new Map<number, CheckpointManifest>();
  /** Told to nobody as completed, and yet possibly there: its completion or its end was interrupted. */
  readonly uncertain = new Map<number, CheckpointManifest>();
  readonly seen = { completed: 0, failed: 0, crashed: 0, resurfaced: 0, withoutBase: 0, fenced: 0 };
  store: RecoveryStore = openStore(this.disk, { isIncremental: true });

  run(each: Step): void {
    switch (each.kind) {
      case 'begin':
        return this.begin(each.buildsOn);
      case 'complete':
      case 'discard':
      case 'dispose':
        return this.end(each.kind, each.which);
      case 'takeover':
        return this.takeOver();
      case 'fail':
        return this.fail(each.at, each.at + each.length, each.which);
      case 'crash':
        return this.crash(each.at, each.which, each.loss);
    }
  }

  begin(buildsOn: boolean): void {
    const id = this.store.lastId + 1;
    this.store.begin(id);
    const newest = this.retained.get(Math.max(...this.retained.keys()));
    this.pending.set(id, takeSnapshot(this.disk, this.store, id, buildsOn ? newest : null));
  }

  end(kind: 'complete' | 'discard' | 'dispose', nth: number): void {
    const among = [...(kind === 'dispose' ? this.retained : this.pending)];
    const [id, manifest] = among[nth % Math.max(1, among.length)] ?? [];
    if (id === undefined || manifest === undefined) return;
    if (kind === 'complete') this.complete(id, manifest);
    else if (kind === 'discard') {
      this.store.discard(id);
      this.pending.delete(id);
    } else {
      this.uncertain.set(id, manifest);
      this.store.dispose(id);
      this.retained.delete(id);
      this.uncertain.delete(id);
    }
  }

  complete(id: number, manifest: CheckpointManifest): void {
    const retained = [...this.retained.values()].flatMap(({ files }) =>
      files.map(({ path }) => path),
    );
    const held = new Set([...retained, ...filesWrittenFor(manifest)]);
    const isWhole = manifest.files.every(({ path }) => held.has(path));
    this.uncertain.set(id, manifest);
    try {
      this.store.complete(manifest);
      expect(isWhole).toBe(true);
      this.retained.set(id, manifest);
      this.seen.completed++;
    } catch (error) {
      if (!MillraceError.is(error) || error.code !== 'CHECKPOINT_CORRUPT') throw error;
      expect(isWhole).toBe(false);
      this.seen.withoutBase++;
      this.store.discard(id);
    }
    this.pending.delete(id);
    this.uncertain.delete(id);
  }

  takeOver(): void {
    const zombie = this.store;
    this.reopen();
    const [late] = this.pending.values();
    this.pending.clear();
    const fenced = expect.objectContaining({ code: 'CHECKPOINT_FENCED' });
    if (late !== undefined) expect(() => zombie.complete(late)).toThrow(fenced);
    expect(() => zombie.begin(1000)).toThrow(fenced);
    expect(() => zombie.discard(1000)).toThrow(fenced);
    zombie.close();
    this.seen.fenced++;
  }

  /** The disk fails for a while; what was interrupted is discarded, or else the job starts anew. */
  fail(at: number, until: number, nth: number): void {
    this.disk.restart({ kind: 'kill' }, [{ at, until, kind: 'EIO' }]);
    try {
      this.begin(true);
      this.end('complete', nth);
      this.end('dispose', nth);
    } catch (error) {
      expect(error).toMatchObject({ code: expect.stringMatching(/^FILE_UN/) });
      this.seen.failed++;
    }
    this.disk.restart({ kind: 'kill' });
    this.reopen();
    this.pending.clear();
  }

  crash(at: number, nth: number, how: Loss): void {
    this.disk.restart({ kind: 'kill' }, [{ at, kind: 'crash' }]);
    try {
      this.begin(true);
      this.end('complete', nth);
      this.end('dispose', nth);
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      this.seen.crashed++;
    }
    this.disk.restart(how);
    this.reopen();
    this.pending.clear();
  }

  reopen(): void {
    this.store = openStore(this.disk, { isIncremental: true });
    expect(this.store.damaged).toEqual([]);
    const there = new Set(this.store.retained.map(({ id }) => id));
    for (const [id, manifest] of this.uncertain) {
      if (there.has(id)) {
        this.retained.set(id, manifest);
        this.seen.resurfaced++;
      } else this.retained.delete(id);
    }
    this.uncertain.clear();
  }

  check(): void {
    const ids = [...this.retained.keys()].toSorted((a, b) => b - a);
    expect(this.store.retained.map(({ id }) => id)).toEqual(ids);
    const wanted = new Set([`epoch-${this.store.attempt}/owner`]);
    for (const [id, manifest] of this.retained) {
      const opened = openCheckpoint(this.disk, `${HOME}/chk-${id}`);
      expect(stateOf(opened)).toEqual(wantedState(manifest));
      wanted.add(`chk-${id}/_metadata`);
      for (const { path } of manifest.files) wanted.add(path);
    }
    for (const manifest of this.pending.values()) {
      for (const path of filesWrittenFor(manifest)) wanted.add(path);
    }
    const found = [...this.disk.files().keys()].map((path) => path.slice(HOME.length + 1));
    expect(found.toSorted()).toEqual([...wanted].toSorted());
    const { latest, damaged } = findLatest(this.disk, DIRECTORY, JOB_ID);
    expect([latest?.manifest.id, damaged]).toEqual([ids[0], []]);
  }
}

function filesWrittenFor(manifest: CheckpointManifest): readonly string[] {
  const own = manifest.files.filter(({ path }) => path.includes(`/state-${manifest.id}-`));
  return own.map(({ path }) => path);
}

describe('histories of a checkpoint store', () => {
  it('keep what is retained and nothing else', () => {
    const marks: Record<string, number> = {};
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40, size: 'max' }), (steps) => {
        const history = new History();
        for (const each of steps) {
          history.run(each);
          history.check();
        }
        for (const [mark, count] of Object.entries(history.seen)) {
          marks[mark] = (marks[mark] ?? 0) + count;
        }
      }),
      { numRuns: 200 },
    );
    const missed = Object.entries(marks).filter(([, count]) => count === 0);
    expect(missed).toEqual([]);
  });
});
