/** Entries that leave memory and come back with those that belong to them, against a Map of Maps. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ColdRound } from '../../src/state/cold/cold-round.js';
import { Stage } from '../../src/state/cold/stage.js';
import { createTieredTable } from '../../src/state/cold/tiered-table.js';
import type { StateTable, TableEntry, TableSpec } from '../../src/state/contract.js';
import { MemoryScratch } from '../contract/memory-scratch.js';
import { TableDriver } from '../contract/state-table-model.js';

const KEY_GROUPS = 3;
const PAGE_SHIFT = 2;
const COLUMNS: TableSpec['columns'] = [{ name: 'value', form: 'f64' }];
const OWNERS: TableSpec = { name: 'keys', keys: [{ kind: 'utf8' }], columns: COLUMNS, ttlMs: null };
const MEMBERS: TableSpec = {
  ...OWNERS,
  name: 'members',
  keys: [{ kind: 'utf8' }, { kind: 'number' }],
  ownerKeys: 1,
};

type Model = Map<string, Map<number, number>>;

/** Both tables, and which members each key has in memory. */
class Pair {
  readonly disk = new MemoryScratch();
  readonly owners = this.#open(OWNERS);
  readonly members = this.#open(MEMBERS);
  /** By key in memory. */
  readonly linked = new Map<string, Set<number>>();

  #open(spec: TableSpec): TableDriver {
    const space = { disk: this.disk, directory: '', budgetBytes: 1 };
    const keyGroups = { start: 0, end: KEY_GROUPS };
    return new TableDriver(
      createTieredTable(spec, { keyGroups, pageShift: PAGE_SHIFT, space }),
      KEY_GROUPS,
    );
  }

  adopt(): void {
    this.linked.clear();
    const keyOf = (entry: number): string => String(this.owners.table.keyOf(entry)[0]);
    this.owners.table.adopt?.({
      table: this.members.table,
      each: (entry, visit) => {
        const key = keyOf(entry);
        for (const member of this.linked.get(key) ?? []) {
          expect(this.members.table.keyOf(member)[0]).toBe(key);
          visit(member);
        }
        this.linked.delete(key);
      },
      cameBack: (entry, members) => {
        expect(this.linked.has(keyOf(entry))).toBe(false);
        this.linked.set(keyOf(entry), new Set(members));
      },
    });
  }

  write(key: string, member: number, value: number): void {
    const owner = this.owners.upsert([key]);
    this.owners.write(owner, [value], PAGE_SHIFT);
    const set = this.linked.get(key) ?? new Set();
    this.linked.set(key, set);
    const entry = this.members.upsert([key, member]);
    this.members.write(entry, [value], PAGE_SHIFT);
    set.add(entry);
  }

  remove(key: string, member: number): void {
    const owner = this.owners.find([key]);
    const entry = owner < 0 ? -1 : this.members.find([key, member]);
    if (entry < 0) return;
    this.members.table.remove(entry);
    const set = this.linked.get(key);
    set?.delete(entry);
    if (set?.size !== 0) return;
    this.linked.delete(key);
    this.owners.table.remove(owner);
  }

  makeRoom(): void {
    for (const { table } of [this.members, this.owners]) table.makeRoom?.();
  }
}

function drained(table: StateTable): Map<string, TableEntry['values']> {
  const seen = new Map<string, TableEntry['values']>();
  table.freeze(false, true);
  while (!table.drain(3, true, ({ key, values }) => seen.set(JSON.stringify(key), values)));
  return seen;
}

const commands = fc.array(
  fc.record({
    kind: fc.constantFrom('write', 'write', 'write', 'remove', 'makeRoom', 'adopt', 'snapshot'),
    key: fc.constantFrom('', 'a', 'ab', 'ä', 'b'.repeat(70)),
    member: fc.integer({ min: 0, max: 4 }),
    value: fc.integer({ min: 1, max: 1000 }),
  }),
  { minLength: 20, maxLength: 120, size: 'max' },
);

describe('entries with members', () => {
  it('are as they were, whenever they leave memory and come back', () => {
    const rare = { leaves: 0 };
    fc.assert(
      fc.property(commands, (all) => {
        const pair = new Pair();
        const model: Model = new Map();
        const wanted = (): Map<string, TableEntry['values']> =>
          new Map(
            [...model].flatMap(([key, members]) =>
              [...members].map(([member, value]) => [JSON.stringify([key, member]), [value]]),
            ),
          );
        pair.adopt();
        for (const { kind, key, member, value } of all) {
          if (kind === 'write') {
            pair.write(key, member, value);
            model.set(key, (model.get(key) ?? new Map()).set(member, value));
          } else if (kind === 'remove') {
            pair.remove(key, member);
            model.get(key)?.delete(member);
            if (model.get(key)?.size === 0) model.delete(key);
          } else if (kind === 'makeRoom') {
            pair.makeRoom();
            if (model.size > 0 && pair.linked.size === 0) rare.leaves++;
          } else if (kind === 'adopt') {
            pair.adopt();
          } else {
            expect(drained(pair.members.table)).toEqual(wanted());
          }
        }
        expect(pair.owners.table.entries).toBe(model.size);
        expect(pair.members.table.entries).toBe(wanted().size);
        const seen: string[] = [];
        for (let at = 0; at >= 0; pair.makeRoom()) {
          at = pair.owners.table.scan(at, 2, (entry) => {
            const key = String(pair.owners.table.keyOf(entry)[0]);
            for (const one of pair.linked.get(key) ?? []) {
              const [, member] = pair.members.table.keyOf(one);
              seen.push(JSON.stringify([key, member]));
            }
          });
        }
        expect(seen.toSorted()).toEqual([...wanted().keys()].toSorted());
        for (const { table } of [pair.owners, pair.members]) table.clear();
        expect(pair.disk.open).toBe(0);
      }),
      { numRuns: 40 },
    );
    expect(rare.leaves).toBeGreaterThan(5);
  });
});

describe('what a tiered table is made of', () => {
  it('shows records on pages of their own, and goes round through none where nothing is cold', () => {
    const stage = new Stage(OWNERS, { keyGroups: { start: 0, end: 1 }, pageShift: PAGE_SHIFT });
    const driver = new TableDriver(stage, 1);
    const entry = driver.upsert(['x']);
    const shown: unknown[] = [];
    stage.show(entry, 7, false, (_page, o, keyGroup, stampMs, isRemoved) => {
      shown.push([o, keyGroup, stampMs, isRemoved]);
    });
    expect(shown).toEqual([[entry & 3, 0, 7, false]]);
    const store = { isEmpty: true } as ConstructorParameters<typeof ColdRound>[0];
    const round = new ColdRound(store);
    round.step(10, () => expect.unreachable());
    round.end();
  });
});
