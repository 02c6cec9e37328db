/**
 * Writes events to a file, in their order: NDJSON, or Parquet when the name ends in `.parquet`. Callers: `run.mjs` and
 * tests. Runs on: the caller's thread and one slot.
 */
import { mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { job, ndjson, parquet, run } from 'millrace';
import { eventSource } from './events/event-source.mjs';

export const writeJob = job('nexmark-events', (flow, { events, directory, format }) => {
  const file = format === 'parquet' ? parquet(directory) : ndjson(directory);
  flow.from(eventSource(events, { form: 'nested' })).to(file);
});

/**
 * @param {string} path what is there is replaced
 * @param {{ events: number } & Partial<import('./events/event-settings.mjs').EventSettings>} events
 */
export async function writeEvents(path, events) {
  const target = resolve(path);
  const directory = mkdtempSync(join(dirname(target), `.${basename(target)}-`));
  try {
    const format = path.endsWith('.parquet') ? 'parquet' : 'ndjson';
    await run(writeJob, { params: { events, directory, format }, parallelism: 1 });
    moveOnlyPart(directory, target, '');
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * Moves the one part that a sink wrote into a directory. A sink that got no records has written none.
 *
 * @param {string} directory
 * @param {string} path
 * @param {string} empty what a file without records holds
 */
export function moveOnlyPart(directory, path, empty) {
  const parts = readdirSync(directory).filter((name) => name.startsWith('part'));
  if (parts.length === 0) return writeFileSync(path, empty);
  if (parts.length !== 1) throw new Error(`${directory} holds ${parts.length} parts, not one.`);
  renameSync(join(directory, parts[0]), path);
}
