/** Going through the entries of a window on disk: of an aggregation that holds few windows, and of one that holds many. */
import { tmpdir } from 'node:os';

const KEYS = 10_000;
const WINDOW_MS = 10_000;
/** Next to nothing stays in memory. */
const BUDGET_BYTES = 1024 ** 2;
const SPEC = {
  name: 'sums',
  keys: [{ kind: 'number' }, { kind: 'number' }],
  columns: [{ name: 'sum', form: 'f64' }],
  ttlMs: null,
  groupKey: 1,
};

/** @type {import('../lib/micro-runner.mjs').Micro} */
export const micro = {
  name: 'cold-windows',
  title: `going through the ${KEYS} entries of a window, of which nearly all are on disk`,
  modules: [
    'state/cold/tiered-table.ts',
    'base/node-disk.ts',
    'record/key-hash.ts',
    'record/key-group.ts',
  ],
  unit: 'entry',
  perCall: KEYS,
  setup({ createTieredTable, nodeDisk, combineHash, hashNumber }) {
    const keyGroups = { start: 0, end: 128 };
    const space = { disk: nodeDisk, directory: tmpdir(), budgetBytes: BUDGET_BYTES };
    const firing = (windows) => {
      const table = createTieredTable(SPEC, { keyGroups, space });
      for (let key = 0; key < KEYS; key++) {
        for (let window = 0; window < windows; window++) {
          const startMs = window * WINDOW_MS;
          const hash = combineHash(hashNumber(key), hashNumber(startMs));
          const entry = table.upsert(key & 127, hash, key, startMs);
          table.pages[entry >>> 12].c0[entry & 4095] += 1;
        }
        if (key % 100 === 0) table.makeRoom();
      }
      let next = 0;
      return () => {
        const startMs = (next++ % windows) * WINDOW_MS;
        let found = 0;
        const see = (entry) => {
          if (table.pages[entry >>> 12].k1[entry & 4095] === startMs) found++;
        };
        for (let at = 0; at >= 0; table.makeRoom()) {
          at = table.scan(at, 256, see, { key: 1, value: startMs });
        }
        if (found !== KEYS) throw new Error(`A window has ${found} entries.`);
        return found;
      };
    };
    return { 'of two windows': firing(2), 'of a hundred windows': firing(100) };
  },
};
