/** Keyed state: one addition to the entry of a key, in the engine's table and in what JavaScript has. */
import { randomBelow } from '../lib/random.mjs';

const KEYS = 100_000;
const CALL_KEYS = 1024;
const GROUPS = 128;

/** @type {import('../lib/micro-runner.mjs').Micro} */
export const micro = {
  name: 'hash-table',
  title: `adding to one of ${KEYS} keys at random`,
  modules: ['state/hot-table.ts', 'state/contract.ts', 'record/key-group.ts', 'record/key-hash.ts'],
  unit: 'key',
  perCall: CALL_KEYS,
  setup(engine, seed) {
    const below = randomBelow(seed);
    const keys = Float64Array.from({ length: 2 ** 20 }, () => below(KEYS));
    let from = 0;
    const next = () => (from = (from + CALL_KEYS) % keys.length);
    const table = engine.createHotTable(
      {
        name: 'sums',
        keys: [{ kind: 'number' }],
        columns: [{ name: 'sum', form: 'f64' }],
        ttlMs: null,
      },
      { keyGroups: { start: 0, end: GROUPS } },
    );
    const sums = new Map(Array.from({ length: KEYS }, (_, key) => [key, { sum: 0 }]));
    const tasks = {
      'hot table, with key group': () => addToTable(engine, table, keys, next()),
      'Map of objects': () => addToMap(sums, keys, next()),
    };
    // All keys are there before the clock runs.
    for (let at = 0; at < keys.length; at += CALL_KEYS) addToTable(engine, table, keys, at);
    return tasks;
  },
};

function addToTable({ hashNumber, keyGroupOf, PAGE_SHIFT, PAGE_MASK }, table, keys, from) {
  for (let at = from; at < from + CALL_KEYS; at++) {
    const key = keys[at];
    const hash = hashNumber(key);
    const entry = table.upsert(keyGroupOf(hash, GROUPS), hash, key);
    table.pages[entry >>> PAGE_SHIFT].c0[entry & PAGE_MASK] += 1;
  }
}

function addToMap(sums, keys, from) {
  for (let at = from; at < from + CALL_KEYS; at++) sums.get(keys[at]).sum += 1;
}
