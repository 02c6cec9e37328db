/** Sorting by bytes: in memory and through run files, beside what JavaScript has. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBelow } from '../lib/random.mjs';

const ROWS = 20_000;
const KEY_BYTES = 12;
const VALUE_BYTES = 16;
const KIB = 1024;

/** @type {import('../lib/micro-runner.mjs').Micro} */
export const micro = {
  name: 'sort',
  title: `${ROWS} rows with keys of ${KEY_BYTES} bytes, added, sorted and read`,
  modules: ['storage/run-sorter.ts', 'base/node-disk.ts'],
  unit: 'row',
  perCall: ROWS,
  setup({ RunSorter, nodeDisk }, seed) {
    const below = randomBelow(seed);
    const rows = Array.from({ length: ROWS }, () => {
      const key = Uint8Array.from({ length: KEY_BYTES }, () => below(256));
      return { key, value: new Uint8Array(VALUE_BYTES) };
    });
    const sort = (budgetBytes, compression) => () => {
      const directory = mkdtempSync(join(tmpdir(), 'millrace-sort-'));
      const sorter = new RunSorter({ disk: nodeDisk, directory, budgetBytes, compression });
      for (const { key, value } of rows) sorter.add(key, value);
      let bytes = 0;
      for (const at = sorter.sorted(); !at.isDone; at.next()) bytes += at.valueEnd - at.valueStart;
      sorter.close();
      rmSync(directory, { recursive: true });
      return bytes;
    };
    return {
      'in 4 MiB of memory': sort(4096 * KIB, 'lz4'),
      'in 128 KiB, through compressed files': sort(128 * KIB, 'lz4'),
      'in 128 KiB, through plain files': sort(128 * KIB, 'none'),
      'an array of objects, by Buffer.compare': () =>
        rows.toSorted((left, right) => Buffer.compare(left.key, right.key)),
    };
  },
};
