import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { diffSavepoints, type SavepointDiff } from '../../../src/savepoint/savepoint-diff.js';
import { SavepointReader } from '../../../src/savepoint/savepoint-reader.js';
import { SavepointWriter } from '../../../src/savepoint/savepoint-writer.js';
import { savepointOfEveryState } from '../../fixtures/every-state.mjs';
import { recordOf, SPLITS, USERS } from '../../fixtures/jobs/every-state.mjs';
import { Crash } from '../../simulation/sim-disk.js';
import { TableJob } from '../checkpoint/table-job.js';

/** Sums of keys, as a checkpoint holds them. */
function sumsOf(reader: SavepointReader): ReadonlyMap<unknown, unknown> {
  const entries = [...reader.readKeyedState('op', 'sums')];
  return new Map(entries.map(({ key, value }) => [key, (value as { sum: number }).sum]));
}

describe('a writer of savepoints', () => {
  it('gives what a model gives, over chains of changes, at any number of key groups', () => {
    const edit = fc.tuple(fc.nat({ max: 60 }), fc.option(fc.nat()));
    const counts = { put: 0, deleted: 0, notFound: 0, dealt: 0 };
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat({ max: 40 }), fc.boolean()), { maxLength: 40 }),
        fc.array(edit, { maxLength: 20 }),
        fc.constantFrom(null, 1, 2, 3, 7, 128),
        (writes, edits, maxParallelism) => {
          const job = new TableJob();
          const model = new Map<number, number>();
          for (let key = 0; key < 20; key++) {
            job.write(key, key);
            model.set(key, key);
          }
          job.checkpoint();
          for (const [index, [key, isPut]] of writes.entries()) {
            job.write(key, isPut ? index : null);
            if (isPut) model.set(key, index);
            else model.delete(key);
            if (index % 9 === 0) job.checkpoint();
          }
          job.checkpoint();
          const [{ path }] = job.store.retained;
          const writer = SavepointWriter.fromExistingSavepoint(path, job.disk);
          const last = new Map(edits);
          for (const [key, sum] of edits) {
            if (sum === null) writer.delete('op', 'sums', key);
            else writer.put('op', 'sums', key, { sum });
          }
          if (maxParallelism !== null) writer.withMaxParallelism(maxParallelism);
          const written = writer.write('/data/edited');
          const missing = [...last].filter(([key, sum]) => sum === null && !model.has(key));
          for (const [key, sum] of last) {
            if (sum === null) model.delete(key);
            else model.set(key, sum);
          }
          expect(written.notFound.map(({ key }) => key)).toEqual(missing.map(([key]) => key));
          expect(written.put).toBe([...last.values()].filter((sum) => sum !== null).length);
          const reader = SavepointReader.read('/data/edited', job.disk);
          expect(sumsOf(reader)).toEqual(model);
          for (const key of model.keys()) {
            expect(reader.get('op', 'sums', key)).toEqual({ sum: model.get(key) });
          }
          expect(reader.kind).toBe('savepoint');
          expect(job.disk.list('/data/edited')).toContain('_metadata');
          job.check();
          counts.put += written.put;
          counts.deleted += written.deleted;
          counts.notFound += written.notFound.length;
          counts.dealt += maxParallelism === null ? 0 : 1;
        },
      ),
    );
    expect(Math.min(...Object.values(counts))).toBeGreaterThan(10);
  });

  it('leaves a whole savepoint or none, at whatever operation its process is killed', () => {
    const begin = (): { readonly job: TableJob; readonly path: string } => {
      const job = new TableJob();
      for (let key = 0; key < 20; key++) job.write(key, key);
      job.checkpoint();
      return { job, path: job.store.retained[0]?.path ?? '' };
    };
    const edit = ({ job, path }: ReturnType<typeof begin>): void => {
      const writer = SavepointWriter.fromExistingSavepoint(path, job.disk);
      writer.put('op', 'sums', 1, { sum: -1 }).write('/data/edited');
    };
    const clean = begin();
    const before = clean.job.disk.journal.length;
    edit(clean);
    const operations = clean.job.disk.journal.length - before;
    expect(operations).toBeGreaterThan(6);
    const seen = { none: 0, whole: 0 };
    for (let at = 1; at <= operations; at++) {
      for (const kind of ['kill', 'all', 'some', 'torn'] as const) {
        const world = begin();
        const { disk } = world.job;
        disk.restart({ kind: 'kill' }, [{ at, kind: 'crash' }]);
        try {
          edit(world);
        } catch (error) {
          if (!(error instanceof Crash)) throw error;
        }
        disk.restart({ kind, seed: at });
        if (disk.stat('/data/edited/_metadata') === null) seen.none++;
        else {
          const sums = sumsOf(SavepointReader.read('/data/edited', disk));
          expect(sums.get(1)).toBe(-1);
          expect(sums.size).toBe(20);
          seen.whole++;
        }
        expect(sumsOf(SavepointReader.read(world.path, disk)).get(1)).toBe(1);
      }
    }
    expect(Math.min(seen.none, seen.whole)).toBeGreaterThan(0);
  });
});

describe('a savepoint that is written from another', () => {
  const [LIMIT, MORE] = [20, 30];
  let directory: string;
  let path: string;
  let made = 0;
  const records = Array.from({ length: MORE * SPLITS }, (_, at) =>
    recordOf(at % SPLITS, Math.floor(at / SPLITS)),
  );
  const later = (user: string): typeof records =>
    records.slice(LIMIT * SPLITS).filter((record) => record.user === user);
  const target = (): string => join(directory, `written-${made++}`);
  const params = { out: null };

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-written-'));
    path = (await savepointOfEveryState(directory, LIMIT, { params })) ?? '';
  });

  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  function compared(from: string, to: string): SavepointDiff {
    const [before, after] = [from, to].map((each) => SavepointReader.read(each));
    if (before === undefined || after === undefined) throw new Error('there are two');
    const diff = diffSavepoints(before, after);
    before.close();
    after.close();
    return diff;
  }

  const withDifferences = ({ states }: SavepointDiff) =>
    states.filter(({ added, removed, changed }) => added + removed + changed > 0);

  it('is the same when nothing was changed', () => {
    const written = SavepointWriter.fromExistingSavepoint(path).write(target());
    expect(compared(path, written.path).isDifferent).toBe(false);
    expect(compared(path, written.path).states.length).toBeGreaterThan(30);
    expect(compared(path, written.path).states.every(({ same }) => same > 0)).toBe(true);
  });

  it('has keyed state of every kind as it was put, and a job goes on with that', async () => {
    const days = new Map([[new Date('2026-02-01'), 7]]);
    const puts: Readonly<Record<string, unknown>> = {
      profile: { first: new Date(0), tags: new Set(['edited']) },
      title: 'a title',
      amounts: [1, 2],
      visits: Array.from({ length: 70 }, (_, number) => ({ number, at: new Date(number) })),
      recent: [5],
      days,
      pages: { 'page 9': 9 },
      total: 1000,
      mean: { sum: 10, count: 2 },
    };
    const writer = SavepointWriter.fromExistingSavepoint(path);
    for (const [state, value] of Object.entries(puts)) writer.put('keeper', state, 'ann', value);
    writer.delete('keeper', 'amounts', 'bob').delete('keeper', 'days', 'bob');
    writer.put('reduce', 'reduced', '0', { big: 0n, amount: 5 });
    writer.putListState('keeper', 'seen', [7]).put('broadcast', 'rules', 'new', 3);
    writer.delete('broadcast', 'rules', 'ann').delete('keeper', 'total', 'nobody');
    const written = writer.write(target());
    expect(written).toMatchObject({
      put: 12,
      deleted: 3,
      notFound: [{ uid: 'keeper', state: 'total', key: 'nobody' }],
    });
    const reader = SavepointReader.read(written.path);
    for (const [state, value] of Object.entries(puts)) {
      const wanted = state === 'pages' ? new Map(Object.entries(value as object)) : value;
      expect(reader.get('keeper', state, 'ann')).toEqual(wanted);
    }
    expect(reader.get('keeper', 'amounts', 'bob')).toBeUndefined();
    expect(reader.readListState('keeper', 'seen')).toEqual([7]);
    reader.close();
    const diff = compared(path, written.path);
    expect(
      withDifferences(diff)
        .map(({ uid, state }) => `${uid}/${state}`)
        .toSorted(),
    ).toEqual(
      [...Object.keys(puts), 'seen']
        .map((state) => `keeper/${state}`)
        .concat('reduce/reduced', 'broadcast/rules')
        .toSorted(),
    );
    const amounts = diff.states.find(({ uid, state }) => uid === 'keeper' && state === 'amounts');
    expect(amounts).toMatchObject({ added: 0, removed: 1, changed: 1, same: 3 });
    expect(amounts?.samples.map(({ change, key }) => [change, key]).toSorted()).toEqual([
      ['changed', 'ann'],
      ['removed', 'bob'],
    ]);

    const from = written.path;
    const on = await savepointOfEveryState(directory, MORE, { params, from, begun: LIMIT });
    const after = SavepointReader.read(on ?? '');
    const sum = (user: string): number => later(user).reduce((all, { amount }) => all + amount, 0);
    expect(after.get('keeper', 'total', 'ann')).toBe(1000 + sum('ann'));
    const more = later('ann').length;
    expect(after.get('keeper', 'mean', 'ann')).toEqual({ sum: 10 + sum('ann'), count: 2 + more });
    expect(after.get('keeper', 'amounts', 'ann')).toHaveLength(2 + more);
    expect((after.get('keeper', 'amounts', 'ann') as number[]).slice(0, 2)).toEqual([1, 2]);
    expect(after.get('keeper', 'amounts', 'bob')).toHaveLength(later('bob').length);
    expect(after.get('keeper', 'visits', 'ann')).toHaveLength(70 + more);
    expect((after.get('keeper', 'recent', 'ann') as number[])[0]).toBe(5);
    const pages = after.get('keeper', 'pages', 'ann') as Map<string, number>;
    expect([...pages.keys()][0]).toBe('page 9');
    expect([...(after.get('keeper', 'days', 'ann') as typeof days)][0]).toEqual([...days][0]);
    expect(after.readListState('keeper', 'seen')).toEqual([7]);
    expect(after.readBroadcastState('broadcast', 'rules').get('new')).toBe(3);
    after.close();
  });

  it.each([2, 3, 32])('is dealt to %d key groups, and a job goes on with those', async (max) => {
    const writer = SavepointWriter.fromExistingSavepoint(path).withMaxParallelism(max);
    const dealt = writer.write(target()).path;
    const diff = compared(path, dealt);
    expect(withDifferences(diff)).toEqual([]);
    expect(diff.changedOperators.every(({ after }) => after.maxParallelism === max)).toBe(true);
    const back = SavepointWriter.fromExistingSavepoint(dealt).withMaxParallelism(8).write(target());
    expect(compared(path, back.path).isDifferent).toBe(false);

    const options = { params, begun: LIMIT, maxParallelism: max };
    const on = await savepointOfEveryState(directory, MORE, { ...options, from: dealt });
    const whole = await savepointOfEveryState(directory, MORE, { params });
    const same = new Set(['total', 'accumulators', 'seen', 'ranked', 'timers.event', 'rows']);
    // What the others keep depends on how far the watermark was when each record came.
    const byChance = /^(?:sliding|session|tumbling|join|interval-join)$/;
    const wrong = withDifferences(compared(whole ?? '', on ?? '')).filter(
      ({ uid, state }) => same.has(state) && !byChance.test(uid),
    );
    expect(wrong.map(({ uid, state, samples }) => ({ uid, state, samples }))).toEqual([]);
  });

  it('has other uids, and no operators that were removed', () => {
    const renamed = SavepointWriter.fromExistingSavepoint(path)
      .removeOperator('join')
      .changeOperatorIdentifier('keeper', 'kept')
      .changeOperatorIdentifier('records', 'input')
      .write(target());
    const diff = compared(path, renamed.path);
    expect(diff.removedOperators.toSorted()).toEqual(['join', 'keeper', 'records']);
    expect(diff.addedOperators.toSorted()).toEqual(['input', 'kept']);
    const reader = SavepointReader.read(renamed.path);
    expect(new Set([...reader.readKeyedState('kept', 'last')].map(({ key }) => key))).toEqual(
      new Set(USERS),
    );
    expect(reader.operators.find(({ uid }) => uid === 'input')?.source?.inHand).toHaveLength(2);
    reader.close();
    const back = SavepointWriter.fromExistingSavepoint(renamed.path)
      .changeOperatorIdentifier('kept', 'keeper')
      .changeOperatorIdentifier('input', 'records')
      .write(target());
    const again = compared(path, back.path);
    expect(again.removedOperators).toEqual(['join']);
    expect(withDifferences(again).map(({ uid }) => uid)).toEqual(['join']);
  });

  it('is refused with what would be right', () => {
    const refused = (
      act: (writer: SavepointWriter) => unknown,
      code: string,
      told: RegExp,
    ): void => {
      const writer = SavepointWriter.fromExistingSavepoint(path);
      let error: unknown = null;
      try {
        act(writer);
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toMatchObject({ code });
      const { message, advice } = error as { message: string; advice: string };
      expect(`${message} ${advice}`).toMatch(told);
    };
    refused((one) => one.removeOperator('kepeer'), 'STATE_NOT_FOUND', /"keeper"/);
    refused((one) => one.put('keeper', 'tota', 'ann', 1), 'STATE_NOT_FOUND', /"total"/);
    refused((one) => one.put('keeper', 'total', 'ann', '1'), 'VALUE_UNSUPPORTED', /holds a number/);
    refused((one) => one.put('keeper', 'amounts', 'ann', 1), 'VALUE_UNSUPPORTED', /an array/);
    refused((one) => one.put('keeper', 'big', 'ann', 2n ** 63n), 'VALUE_UNSUPPORTED', /"big"/);
    refused((one) => one.put('tumbling', 'accumulators', 'ann', {}), 'FEATURE_UNSUPPORTED', /each/);
    refused(
      (one) => one.put('keeper', 'timers.event', 'ann', []),
      'FEATURE_UNSUPPORTED',
      /function/,
    );
    refused((one) => one.put('keeper', 'seen', 'ann', 1), 'OPTION_INVALID', /putListState/);
    refused((one) => one.putListState('keeper', 'total', []), 'OPTION_INVALID', /put\(\)/);
    refused((one) => one.changeOperatorIdentifier('keeper', 'join'), 'UID_DUPLICATE', /"join"/);
    refused((one) => one.withMaxParallelism(0), 'PARALLELISM_INVALID', /1 to 32768/);
    refused((one) => one.write(path), 'OUTPUT_EXISTS', /never written over/);
    refused((one) => one.write(join(directory, 'chk-1')), 'OPTION_INVALID', /chk-1/);
    expect(readdirSync(directory)).not.toContain('chk-1');
  });
});
