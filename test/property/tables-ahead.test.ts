/** Tables that are loaded before it is known what changes: at any parallelism they end as those loaded at once. */
import { serialize } from 'node:v8';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CheckpointManifest, StatePiece } from '../../src/checkpoint/contract.js';
import { keyGroupRange } from '../../src/record/key-group.js';
import type { DataType } from '../../src/record/schema.js';
import { type RestoredSubtask, RestoredState } from '../../src/runtime/restored-state.js';
import { TablesAhead } from '../../src/runtime/tables-ahead.js';
import type { StateTable, TableSpec } from '../../src/state/contract.js';
import { createHotTable } from '../../src/state/hot-table.js';
import { CurrentKey } from '../../src/state/key-context.js';
import { KeyedStateStore } from '../../src/state/keyed-state.js';
import type { KeptTable } from '../../src/state/state-writer.js';
import { loadTable, TableWriter } from '../../src/state/table-snapshot.js';
import { applyEntries, printRows, TableDriver } from '../contract/state-table-model.js';

const MAX = 8;
const KEYS = 40;
const spec: TableSpec = {
  name: 'sums',
  keys: [{ kind: 'number' }],
  columns: [
    { name: 'sum', form: 'f64' },
    { name: 'text', form: 'utf8' },
  ],
  ttlMs: null,
};

type Piece = CheckpointManifest['pieces'][number];

function read({ at }: StatePiece): Uint8Array {
  if (!('bytes' in at)) throw new Error('All is in memory here.');
  return at.bytes;
}

const HEAD: Piece = {
  uid: 'op',
  name: 'operator',
  keyGroup: -1,
  isChanges: false,
  at: { bytes: serialize({ tables: [spec] }) },
  subtask: 0,
};

const open = (start: number, end: number): StateTable =>
  createHotTable(spec, { keyGroups: { start, end } });

/** One subtask that writes and removes keys, and takes checkpoints that build on each other. */
class Job {
  readonly #table = open(0, MAX);
  readonly #driver = new TableDriver(this.#table, MAX);
  readonly pieces: Piece[] = [];
  #isFirst = true;

  write(key: number, value: number): void {
    const entry = this.#driver.upsert([key]);
    this.#driver.write(entry, [value, `text ${value}`], 13);
  }

  remove(key: number): void {
    const entry = this.#driver.find([key]);
    if (entry >= 0) this.#table.remove(entry);
  }

  checkpoint(): RestoredState {
    const writer = new TableWriter('op', this.#table, { full: this.#isFirst, isConfirmable: true });
    this.#isFirst = false;
    const put = (uid: string, name: string, keyGroup: number, bytes: Uint8Array, is: boolean) =>
      void this.pieces.push({ uid, name, keyGroup, isChanges: is, at: { bytes }, subtask: 0 });
    while (!writer.step({ put }, { left: 16 }));
    writer.confirm();
    return this.state([HEAD, ...this.pieces]);
  }

  state(pieces: readonly Piece[]): RestoredState {
    const operator = { uid: 'op', name: 'op', parallelism: 1, maxParallelism: MAX };
    return new RestoredState({ pieces, operators: [{ ...operator, isFinished: false }] }, read);
  }
}

function contentOf(table: StateTable, { subtask, parallelism }: RestoredSubtask) {
  const { start, end } = keyGroupRange(subtask, parallelism, MAX);
  const groups = Array.from({ length: end - start }, (_, at) => start + at);
  const entries = groups.flatMap((group) => [...table.entriesOf(group)]);
  return printRows(applyEntries(new Map(), entries).values(), false);
}

function loadedAtOnce(state: RestoredState, who: RestoredSubtask): readonly string[] {
  const { start, end } = keyGroupRange(who.subtask, who.parallelism, MAX);
  const table = open(start, end);
  loadTable(table, state.sourceFor(who).get('op', 'sums'));
  return contentOf(table, who);
}

/** Positive numbers are written, others removed. */
const changes = fc.array(fc.integer({ min: -KEYS, max: KEYS }), { maxLength: 60 });
const subtasks = (parallelism: number): RestoredSubtask[] =>
  Array.from({ length: parallelism }, (_, subtask) => ({
    subtask,
    parallelism,
    maxParallelism: MAX,
  }));
const tablesOf = (parallelism: number) =>
  subtasks(parallelism).map((who) => ({ uid: 'op', spec, parts: [], ...who }));

describe('tables that are loaded ahead', () => {
  it('end as those that are loaded at once, whatever has changed since', () => {
    fc.assert(
      fc.property(
        fc.array(changes, { minLength: 1, maxLength: 4 }),
        fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
        fc.integer({ min: 1, max: 5 }),
        (stages, isLoadedAfter, parallelism) => {
          const job = new Job();
          const ahead = new TablesAhead();
          let last = job.state([]);
          stages.forEach((stage, index) => {
            stage.forEach((key, n) => (key > 0 ? job.write(key, n) : job.remove(-key)));
            last = job.checkpoint();
            const task = { tables: tablesOf(parallelism), bytesMax: 1e9 };
            if (isLoadedAfter[index]) ahead.load(last, task);
          });
          const isLoaded = stages.some((_, index) => isLoadedAfter[index]);
          for (const who of subtasks(parallelism)) {
            const pieces = last.keyedPieces('op', 'sums', who);
            const { start, end } = keyGroupRange(who.subtask, parallelism, MAX);
            const taken = ahead.take('op', spec, who, () => pieces);
            expect(taken !== null).toBe(isLoaded);
            const table = taken ?? open(start, end);
            const loadedOf = () => ahead.loadedOf('op', 'sums', who);
            loadTable(table, last.sourceFor(who, loadedOf).get('op', 'sums'));
            expect(contentOf(table, who)).toEqual(loadedAtOnce(last, who));
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  it('are taken once, by their own subtask, for what they are and what they hold', () => {
    const job = new Job();
    for (let key = 1; key <= KEYS; key++) job.write(key, key);
    const state = job.checkpoint();
    const [who = subtasks(2)[0]] = subtasks(2);
    const load = () => {
      const ahead = new TablesAhead();
      ahead.load(state, { tables: tablesOf(2), bytesMax: 1e9 });
      return ahead;
    };
    const pieces = state.keyedPieces('op', 'sums', who);
    expect(pieces.length).toBeGreaterThan(1);
    expect(load().take('op', spec, { ...who, parallelism: 3 }, () => pieces)).toBeNull();
    expect(load().take('op', spec, { ...who, subtask: 2 }, () => pieces)).toBeNull();
    expect(load().take('other', spec, who, () => pieces)).toBeNull();
    expect(load().take('op', { ...spec, ttlMs: 1000 }, who, () => pieces)).toBeNull();
    // What was merged, or written anew as a whole, is not what was loaded.
    expect(load().take('op', spec, who, () => pieces.slice(1))).toBeNull();
    expect(load().take('op', spec, who, () => pieces.toReversed())).toBeNull();
    const ahead = load();
    expect(ahead.take('op', spec, who, () => pieces)).not.toBeNull();
    expect(ahead.loadedOf('op', 'sums', who)).toBe(pieces.length);
    expect(ahead.take('op', spec, who, () => pieces)).toBeNull();
  });

  it('begin anew where what comes next does not go on with what they hold', () => {
    const job = new Job();
    for (let key = 1; key <= KEYS; key++) job.write(key, key);
    const ahead = new TablesAhead();
    const task = { tables: tablesOf(2), bytesMax: 1e9 };
    ahead.load(job.checkpoint(), task);
    const other = new Job();
    for (let key = 1; key <= KEYS; key += 3) other.write(key, -key);
    const state = other.checkpoint();
    ahead.load(state, task);
    for (const who of subtasks(2)) {
      const table = ahead.take('op', spec, who, (name) => state.keyedPieces('op', name, who));
      expect(table === null ? null : contentOf(table, who)).toEqual(loadedAtOnce(state, who));
    }
  });

  it('are no larger than their slot may have them', () => {
    const job = new Job();
    for (let key = 1; key <= KEYS; key++) job.write(key, key);
    const tasks = { tables: tablesOf(2), bytesMax: 100 };
    expect(() => new TablesAhead().load(job.checkpoint(), tasks)).toThrow(
      expect.objectContaining({ code: 'MEMORY_EXHAUSTED' }),
    );
  });
});

const NAMES = ['a', 'b', 'few', 'digits'] as const;

/** States of a function, two of which lie in one entry, in one subtask. */
function openStates(openTable: (spec: TableSpec) => StateTable) {
  const types: readonly DataType[] = [{ kind: 'number' }];
  const context = new CurrentKey(types, MAX);
  const store = new KeyedStateStore({ uid: 'op', context, openTable, eventTimeMs: () => 0 });
  const a = store.value<number>({ name: 'a', type: { kind: 'number' } });
  const b = store.value<string>({ name: 'b' });
  const few = store.list<number>({ name: 'few' });
  const digits = store.map<string, number>({ name: 'digits' });
  return { context, store, a, b, few, digits };
}

type States = ReturnType<typeof openStates>;

/** What every key of a subtask has. */
function statesOf({ context, store }: States, { subtask, parallelism }: RestoredSubtask): unknown {
  const { start, end } = keyGroupRange(subtask, parallelism, MAX);
  return Array.from({ length: KEYS }, (_, key) => {
    context.set([key]);
    const isOwn = context.keyGroup >= start && context.keyGroup < end;
    return isOwn ? NAMES.map((name) => store.read(name)) : null;
  });
}

/** Changes one state of a key, or clears it. */
function change(states: States, key: number, what: number, n: number): void {
  const { context, a, b, few, digits } = states;
  context.set([key]);
  if (what === 0) a.update(n);
  if (what === 1) a.clear();
  if (what === 2) b.update(`text ${n}`);
  if (what === 3) b.clear();
  if (what === 4) few.add(n);
  if (what === 5) few.clear();
  if (what === 6) digits.put(String(n % 5), n);
  if (what === 7) digits.remove(String(n % 5));
}

describe('states of functions that are loaded ahead', () => {
  const open =
    (keyGroups: { readonly start: number; readonly end: number }) => (table: TableSpec) =>
      createHotTable(table, { keyGroups });
  const step = fc.tuple(fc.nat(KEYS - 1), fc.nat(7));
  const stages = fc.array(fc.array(step, { maxLength: 50 }), { minLength: 1, maxLength: 3 });
  const clearing = fc.constantFrom(1, 3, 5, 7);
  const flags = fc.array(fc.boolean(), { minLength: 4, maxLength: 4 });

  it('end as those that are loaded at once, and snapshots go on from them', () => {
    let taken = 0;
    fc.assert(
      fc.property(
        stages,
        flags,
        fc.integer({ min: 1, max: 3 }),
        clearing,
        (all, isLoadedAfter, wide, what) => {
          const job = openStates(open({ start: 0, end: MAX }));
          const pieces: Piece[] = [];
          const ahead = new TablesAhead();
          const operators = [
            { uid: 'op', name: 'op', parallelism: 1, maxParallelism: MAX, isFinished: false },
          ];
          let state = new RestoredState({ pieces: [], operators }, read);
          let n = 0;
          all.forEach((stage, index) => {
            for (const [key, what] of stage) change(job, key, what, n++);
            const writers = job.store.beginSnapshot({ full: index === 0, isConfirmable: true });
            const tables: KeptTable[] = writers.flatMap(({ kept }) => kept ?? []);
            const put = (
              uid: string,
              name: string,
              keyGroup: number,
              bytes: Uint8Array,
              is: boolean,
            ) =>
              void pieces.push({ uid, name, keyGroup, isChanges: is, at: { bytes }, subtask: 0 });
            for (const writer of writers) while (!writer.step({ put }, { left: 16 }));
            for (const writer of writers) writer.confirm();
            state = new RestoredState({ pieces: [...pieces], operators }, read);
            if (!isLoadedAfter[index]) return;
            const ofAll = subtasks(wide).flatMap((who) =>
              tables.map((kept) => ({ ...kept, ...who })),
            );
            ahead.load(state, { tables: ofAll, bytesMax: 1e9 });
          });
          for (const who of subtasks(wide)) {
            const keyGroups = keyGroupRange(who.subtask, wide, MAX);
            const piecesOf = (name: string) => state.keyedPieces('op', name, who);
            const follower = openStates((table) => {
              const known = ahead.take('op', table, who, piecesOf);
              if (known !== null) taken++;
              return known ?? createHotTable(table, { keyGroups });
            });
            const loadedOf = (uid: string, name: string) => ahead.loadedOf(uid, name, who);
            follower.store.restore(state.sourceFor(who, loadedOf));
            const plain = openStates(open(keyGroups));
            plain.store.restore(state.sourceFor(who));
            expect(statesOf(follower, who)).toEqual(statesOf(plain, who));
            // What is cleared from now on has to be in the changes, though none of it was written here.
            const both = [follower, plain].map((states) => {
              const changes: Piece[] = [];
              for (let key = 0; key < KEYS; key++) {
                states.context.set([key]);
                const { start, end } = keyGroups;
                if (states.context.keyGroup < start || states.context.keyGroup >= end) continue;
                change(states, key, what, key);
              }
              const put = (
                uid: string,
                name: string,
                group: number,
                bytes: Uint8Array,
                is: boolean,
              ) =>
                void changes.push({
                  uid,
                  name,
                  keyGroup: group,
                  isChanges: is,
                  at: { bytes },
                  subtask: 0,
                });
              const writers = states.store.beginSnapshot({ full: false, isConfirmable: true });
              for (const writer of writers) while (!writer.step({ put }, { left: 16 }));
              const after = new RestoredState({ pieces: [...pieces, ...changes], operators }, read);
              const next = openStates(open(keyGroups));
              next.store.restore(after.sourceFor(who));
              return statesOf(next, who);
            });
            expect(both[0]).toEqual(both[1]);
            expect(both[0]).toEqual(statesOf(plain, who));
          }
        },
      ),
      { numRuns: 12 },
    );
    expect(taken).toBeGreaterThan(0);
  });
});
