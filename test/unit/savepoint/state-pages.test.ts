/** Pages of state against the reader that they are made of, on a savepoint with every kind of state. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../../src/base/clock.js';
import { nodeDisk } from '../../../src/base/node-disk.js';
import { entriesOf, entryToJson } from '../../../src/savepoint/entry-json.js';
import { SavepointReader } from '../../../src/savepoint/savepoint-reader.js';
import {
  type StatePage,
  StatePages,
  type StatePageQuery,
} from '../../../src/savepoint/state-pages.js';
import { SavepointWriter } from '../../../src/savepoint/savepoint-writer.js';

const fixtures = fileURLToPath(new URL('../../fixtures/checkpoints/1/', import.meta.url));
const snapshots = [join(fixtures, 'savepoint'), join(fixtures, 'checkpoints', 'chk-2')];
const QUERY = { limit: 1000, bytes: 10_000 };

/** Every page from the first to the last. */
function* pagesOf(
  pages: () => StatePages,
  path: string,
  query: StatePageQuery,
): Generator<StatePage, undefined> {
  let after = query.after;
  for (;;) {
    const page = pages().page(path, { ...query, after });
    yield page;
    if (page.next === null) return undefined;
    expect(page.next).not.toBe(after);
    after = page.next;
  }
}

function statesIn(path: string) {
  const reader = SavepointReader.read(path);
  const states = reader.operators.flatMap(({ uid, states: own }) =>
    own.map(({ name }) => {
      const { operator, state } = reader.find(uid, name);
      const types = reader.keyTypes(operator, state);
      const entries = Array.from(entriesOf(reader, uid, name), (one) => entryToJson(one, types));
      return { uid, name, types: types.length, entries };
    }),
  );
  reader.close();
  return states;
}

/** A clock that goes on by so much whenever somebody looks. */
function clockOf(stepMs: number): Clock {
  let now = 0;
  return { ...systemClock, monotonicMs: () => (now += stepMs) };
}

describe('pages of state', () => {
  let pages: StatePages;
  let directory: string;

  beforeEach(() => {
    pages = new StatePages(nodeDisk, systemClock);
  });

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-pages-'));
  });

  afterEach(() => pages.close());
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it.each(snapshots)('hold every entry once, whatever their length (%s)', (path) => {
    const states = statesIn(path);
    expect(new Set(states.map(({ entries }) => entries.length)).size).toBeGreaterThan(3);
    fc.assert(
      fc.property(
        fc.constantFrom(...states),
        fc.integer({ min: 1, max: 7 }),
        fc.boolean(),
        fc.boolean(),
        ({ uid, name, entries }, limit, isForgetful, isSlow) => {
          const clock = isSlow ? clockOf(1500) : systemClock;
          const looking = (): StatePages => (isForgetful ? new StatePages(nodeDisk, clock) : pages);
          const query = { ...QUERY, operator: uid, state: name, limit };
          const all = [...pagesOf(looking, path, query)];
          const found = all.flatMap((page) => page.entries.map(({ bytes: _, ...entry }) => entry));
          expect(found).toEqual(entries);
          expect(all.every((page) => page.entries.length <= limit)).toBe(true);
          // Nobody is sent to a page that holds nothing.
          expect(all.at(-1)?.entries.length === 0).toBe(entries.length === 0);
        },
      ),
    );
  });

  it.each(snapshots)('are of what the list names (%s)', (path) => {
    const { checkpoint, operators } = pages.list(path);
    expect(checkpoint).toMatchObject({ path });
    const listed = operators.flatMap(({ uid, states }) =>
      states.map(({ name, entries }) => [uid, name, entries]),
    );
    expect(listed).toEqual(statesIn(path).map((one) => [one.uid, one.name, one.entries.length]));
    for (const { states, maxParallelism } of operators) {
      for (const { kind, keyGroups, largest, bytes, keyTypes } of states) {
        const isKeyed = !['operatorList', 'unionList', 'broadcast'].includes(kind);
        expect(keyTypes.length > 0 || !isKeyed || bytes === 0).toBe(true);
        expect(largest !== null).toBe(isKeyed);
        expect(keyGroups).toBeLessThanOrEqual(maxParallelism);
        if (largest !== null) expect(largest.bytes * keyGroups).toBeGreaterThanOrEqual(bytes);
      }
    }
  });

  it.each(snapshots)('are of one key where that is asked for, as it is printed (%s)', (path) => {
    for (const { uid, name, types, entries } of statesIn(path).filter((one) => one.types > 0)) {
      for (const { key } of entries) {
        const text = types === 1 ? String(key) : JSON.stringify(key);
        const query = { ...QUERY, operator: uid, state: name, key: text, limit: 1 };
        const found = [...pagesOf(() => pages, path, query)].flatMap((page) => page.entries);
        const same = entries.filter((one) => JSON.stringify(one.key) === JSON.stringify(key));
        expect(found.map(({ bytes: _, ...entry }) => entry)).toEqual(same);
      }
    }
    const nobody = pages.page(path, { ...QUERY, operator: 'keeper', state: 'last', key: 'nobody' });
    expect(nobody).toMatchObject({ entries: [], next: null });
  });

  it('are of the keys that begin so', () => {
    const [path = ''] = snapshots;
    const query = { ...QUERY, operator: 'keeper', state: 'last', prefix: 'a' };
    const keys = pages.page(path, query).entries.map(({ key }) => key);
    expect(keys.toSorted()).toEqual(['a name of more than twelve bytes', 'ann']);
    const rules = { ...QUERY, operator: 'broadcast', state: 'rules', prefix: 'b' };
    expect(pages.page(path, rules).entries.map(({ key }) => key)).toEqual(['bob']);
  });

  it('do not count what there is no time for, and say so', () => {
    const [path = ''] = snapshots;
    const slow = new StatePages(nodeDisk, clockOf(300));
    const counts = slow
      .list(path)
      .operators.flatMap(({ states }) => states.map((one) => one.entries));
    expect(counts.at(-1)).toBeNull();
    expect(counts.some((count) => count !== null)).toBe(true);
    slow.close();
  });

  it('say of wrong requests what is wrong with them', () => {
    const [path = ''] = snapshots;
    const codeOf = (query: Partial<StatePageQuery>): unknown => {
      try {
        return pages.page(path, { ...QUERY, operator: 'keeper', state: 'last', ...query });
      } catch (error) {
        return (error as { code?: unknown }).code;
      }
    };
    expect(codeOf({ operator: 'keper' })).toBe('STATE_NOT_FOUND');
    expect(codeOf({ state: 'lst' })).toBe('STATE_NOT_FOUND');
    expect(codeOf({ operator: 'by-two', state: 'accumulators', key: 'ann' })).toBe(
      'KEY_UNSUPPORTED',
    );
    expect(codeOf({ operator: 'keeper', state: 'seen', key: 'ann' })).toBe('KEY_UNSUPPORTED');
    expect(codeOf({ after: '99999.1' })).toMatchObject({ entries: [], next: null });
  });

  it('cut what is too long where a character ends, with a mark that no value has', () => {
    const [from = ''] = snapshots;
    const path = join(directory, 'long');
    const writer = SavepointWriter.fromExistingSavepoint(from);
    const note = { text: 'é'.repeat(5000), $cut: 1 };
    writer.put('keeper', 'profile', 'ann', note);
    writer.put('keeper', 'profile', 'bob', { $cut: 1 });
    writer.write(path);
    const query = { ...QUERY, operator: 'keeper', state: 'profile', bytes: 100 };
    const [ann] = pages.page(path, { ...query, key: 'ann' }).entries;
    const whole = JSON.stringify(note);
    expect(ann).toMatchObject({ bytes: Buffer.byteLength(whole) });
    const { $cut } = Object(ann?.value) as { $cut: { text: string; bytes: number } };
    expect($cut.bytes).toBe(Buffer.byteLength(whole));
    expect(whole.startsWith($cut.text)).toBe(true);
    expect(Buffer.byteLength($cut.text)).toBeGreaterThan(97);
    expect(Buffer.byteLength($cut.text)).toBeLessThanOrEqual(100);
    const [bob] = pages.page(path, { ...query, key: 'bob' }).entries;
    expect(bob?.value).toEqual({ $object: { $cut: 1 } });
  });

  it('hide what names say to be secret, in members, in maps and of whole states', () => {
    const [from = ''] = snapshots;
    const path = join(directory, 'secret');
    const cyclic: Record<string, unknown> = { password: 'hunter2' };
    cyclic['self'] = cyclic;
    const writer = SavepointWriter.fromExistingSavepoint(from);
    const all = {
      user: 'ann',
      password: 'hunter2',
      deep: [
        new Map<unknown, unknown>([
          ['apikey', 'hunter2'],
          ['theme', { token: 'hunter2' }],
        ]),
      ],
      $object: { secret: 'hunter2' },
    };
    writer.put('keeper', 'profile', 'ann', all);
    writer.put('keeper', 'profile', 'bob', cyclic);
    writer.put('keeper', 'profile', 'cleo', { $map: { password: 'hunter2', a: 1 } });
    writer.write(path);
    const query = { ...QUERY, operator: 'keeper', state: 'profile' };
    const { entries } = pages.page(path, query);
    expect(JSON.stringify(entries)).not.toContain('hunter2');
    const valueOf = (user: string) => entries.find(({ key }) => key === user)?.value;
    expect(valueOf('ann')).toEqual({
      user: 'ann',
      password: '******',
      deep: [
        {
          $map: [
            ['apikey', '******'],
            ['theme', { token: '******' }],
          ],
        },
      ],
      $object: { secret: '******' },
    });
    expect(valueOf('bob')).toEqual({ $v8: '******' });
    expect(valueOf('cleo')).toEqual({ $object: { $map: { password: '******', a: 1 } } });
  });

  it('go on when the checkpoint is deleted meanwhile, and say so of one that was deleted before', () => {
    const path = join(directory, 'copied', 'chk-2');
    cpSync(join(fixtures, 'checkpoints'), join(directory, 'copied'), { recursive: true });
    const states = statesIn(path);
    pages.list(path);
    // Others that are looked into meanwhile do not close it.
    for (const other of snapshots) pages.list(other);
    rmSync(join(directory, 'copied'), { recursive: true });
    for (const { uid, name, entries } of states) {
      const query = { ...QUERY, operator: uid, state: name, limit: 2 };
      const found = [...pagesOf(() => pages, path, query)].flatMap((page) => page.entries);
      expect(found).toHaveLength(entries.length);
    }
    pages.close();
    expect(() => pages.list(path)).toThrow(
      expect.objectContaining({ code: 'CHECKPOINT_NOT_FOUND' }),
    );
  });

  it('tell of damage with file and place, and of deletion while it is read as such', () => {
    const copy = join(directory, 'damaged');
    cpSync(join(fixtures, 'checkpoints'), copy, { recursive: true });
    const path = join(copy, 'chk-2');
    const shared = join(copy, 'shared');
    const before = new StatePages(nodeDisk, systemClock);
    before.list(path);
    for (const name of readdirSync(shared)) {
      const bytes = readFileSync(join(shared, name));
      bytes.fill(0xff, 64);
      writeFileSync(join(shared, name), bytes);
    }
    const damaged = expect.objectContaining({
      code: 'CHECKPOINT_CORRUPT',
      where: expect.objectContaining({ file: expect.stringContaining(shared) }),
    });
    const page = () => pages.page(path, { ...QUERY, operator: 'keeper', state: 'last' });
    expect(page).toThrow(damaged);
    // What is damaged is looked at anew.
    expect(page).toThrow(damaged);
    rmSync(join(path, '_metadata'));
    expect(() => before.page(path, { ...QUERY, operator: 'keeper', state: 'last' })).toThrow(
      expect.objectContaining({
        code: 'CHECKPOINT_NOT_FOUND',
        message: expect.stringContaining('while it was read'),
      }),
    );
  });
});
