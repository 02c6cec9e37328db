/** Snapshots of keyed state: freezing, writing and loading the entries of a table. */
import { deserialize, serialize } from 'node:v8';

const KEYS = 200_000;
const GROUPS = 128;
/** One in so many entries changes between two snapshots. */
const CHANGED = 100;
/** Entries of one step, as a chain task is asked for them. */
const STEP_ENTRIES = 8192;

const SPEC = {
  name: 'sums',
  keys: [{ kind: 'number' }],
  columns: [
    { name: 'count', form: 'f64' },
    { name: 'sum', form: 'f64' },
  ],
  ttlMs: null,
};

/** @type {import('../lib/micro-runner.mjs').Micro} */
export const micro = {
  name: 'state-snapshot',
  title: `snapshots of ${KEYS} keys with two numbers each; one in ${CHANGED} has changed`,
  modules: [
    'state/hot-table.ts',
    'state/table-snapshot.ts',
    'state/contract.ts',
    'record/key-group.ts',
    'record/key-hash.ts',
  ],
  unit: 'key',
  perCall: KEYS,
  setup(engine) {
    const open = () => engine.createHotTable(SPEC, { keyGroups: { start: 0, end: GROUPS } });
    const table = open();
    for (let key = 0; key < KEYS; key++) touch(engine, table, key);
    const pieces = snapshot(engine, table, true);
    const map = new Map(Array.from({ length: KEYS }, (_, key) => [key, { count: 1, sum: key }]));
    const bytes = serialize(map);
    let from = 0;
    return {
      'freeze, and give it up': () => {
        new engine.TableWriter('uid', table, { full: false, isConfirmable: false }).abort();
      },
      'write everything': () => snapshot(engine, table, true),
      'write what has changed': () => {
        from = (from + 1) % CHANGED;
        for (let key = from; key < KEYS; key += CHANGED) touch(engine, table, key);
        return snapshot(engine, table, false);
      },
      'load everything': () => {
        const loaded = open();
        engine.loadTable(loaded, pieces);
        return loaded.entries;
      },
      'v8.serialize of a Map of objects': () => serialize(map),
      'v8.deserialize of it': () => deserialize(bytes),
    };
  },
};

function touch({ hashNumber, keyGroupOf, PAGE_SHIFT, PAGE_MASK }, table, key) {
  const hash = hashNumber(key);
  const entry = table.upsert(keyGroupOf(hash, GROUPS), hash, key);
  const page = table.pages[entry >>> PAGE_SHIFT];
  page.c0[entry & PAGE_MASK] += 1;
  page.c1[entry & PAGE_MASK] += key;
}

function snapshot({ TableWriter }, table, full) {
  const pieces = [];
  const put = (_uid, _name, keyGroup, bytes) => pieces.push({ keyGroup, bytes });
  const writer = new TableWriter('uid', table, { full, isConfirmable: true });
  while (!writer.step({ put }, { left: STEP_ENTRIES }));
  writer.confirm();
  return pieces;
}
