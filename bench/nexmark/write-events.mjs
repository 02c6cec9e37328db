/**
 * Writes events to a file, in their order: NDJSON, or Parquet when the name ends in `.parquet`. Callers: `run.mjs` and
 * tests. Runs on: the caller's thread and one slot.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { job, ndjson, parquet, run } from 'millrace';
import { eventSource } from './events/event-source.mjs';
import { moveOnlyPart } from './parts.mjs';

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
