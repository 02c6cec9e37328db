/**
 * Writes the checkpoints that later versions have to read: a savepoint and an incremental checkpoint of the job that
 * keeps state of every kind, with what is in them as JSON. They are written once for each format version, and never
 * again: `test/integration/checkpoint-fixtures.test.ts` reads those of all versions. Callers: developers, when a format
 * has changed: `node scripts/write-checkpoint-fixtures.mjs <version>`.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { contentsOf, savepointOfEveryState } from '../test/fixtures/every-state.mjs';

/** Records of each split that have been read when the savepoint is taken. */
const LIMIT = 20;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [version] = process.argv.slice(2);
if (!/^\d+$/.test(version ?? '')) throw new Error('Name the format version: 1, 2, …');
const target = join(root, 'test/fixtures/checkpoints', version);
if (existsSync(target)) throw new Error(`${target} is there already; what was written stays.`);

const directory = mkdtempSync(join(tmpdir(), 'millrace-fixtures-'));
const settings = {
  'execution.checkpointing.incremental': true,
};
mkdirSync(target, { recursive: true });
const checkpoints = join(directory, 'checkpoints');
const path = await savepointOfEveryState(directory, LIMIT, {
  params: { out: null, paceMs: 20 },
  settings,
  // The first one holds everything, the second what has changed since.
  async afterStart(execution) {
    await execution.checkpoint();
  },
  async beforeStop(execution) {
    await execution.checkpoint();
    const [job] = readdirSync(checkpoints);
    cpSync(join(checkpoints, job), join(target, 'checkpoints'), { recursive: true });
  },
});
cpSync(path, join(target, 'savepoint'), { recursive: true });
for (const name of ['savepoint', 'checkpoints']) {
  const contents = contentsOf(join(target, name));
  writeFileSync(join(target, `${name}.json`), `${JSON.stringify(contents, null, 1)}\n`);
}
rmSync(directory, { recursive: true });
console.log(target);
