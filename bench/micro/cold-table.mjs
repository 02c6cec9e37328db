/** Reading and writing state by random keys: all in memory, and with nine of ten keys on disk. */
import { tmpdir } from 'node:os';
import { randomBelow } from '../lib/random.mjs';

const KEYS = 500_000;
const PER_CALL = 1000;
/** What so many entries take is ten times as much as half of this, which is the share of those in memory. */
const BUDGET_BYTES = 4 * 1024 ** 2;
const SPEC = {
  name: 'sums',
  keys: [{ kind: 'number' }],
  columns: [{ name: 'sum', form: 'f64' }],
  ttlMs: null,
};

/** @type {import('../lib/micro-runner.mjs').Micro} */
export const micro = {
  name: 'cold-table',
  title: `${PER_CALL} of ${KEYS} random keys, each looked up and added to`,
  modules: ['state/cold/tiered-table.ts', 'state/hot-table.ts', 'base/node-disk.ts'],
  unit: 'row',
  perCall: PER_CALL,
  setup({ createTieredTable, createHotTable, nodeDisk }, seed) {
    const keyGroups = { start: 0, end: 128 };
    const space = { disk: nodeDisk, directory: tmpdir(), budgetBytes: BUDGET_BYTES };
    const summing = (table) => {
      const below = randomBelow(seed);
      const add = (key) => {
        const entry = table.upsert(key & 127, key, key);
        table.pages[entry >>> 12].c0[entry & 4095] += 1;
        return entry;
      };
      for (let key = 0; key < KEYS; key++) {
        add(key);
        if (key % PER_CALL === 0) table.makeRoom?.();
      }
      return () => {
        table.makeRoom?.();
        let last = 0;
        for (let row = 0; row < PER_CALL; row++) last = add(below(KEYS));
        return last;
      };
    };
    return {
      'all in memory': summing(createHotTable(SPEC, { keyGroups })),
      'nine of ten on disk': summing(createTieredTable(SPEC, { keyGroups, space })),
    };
  },
};
