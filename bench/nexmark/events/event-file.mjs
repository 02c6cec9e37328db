/**
 * Files of events as a source of nested records, as `event-source.mjs` writes them: `{ kind, person }`,
 * `{ kind, auction }` or `{ kind, bid }`. Callers: the jobs of Nexmark. Runs on: any thread.
 */
import { ndjson, parquet } from 'millrace';
import { NESTED_SCHEMA } from './event-fields.mjs';

/**
 * @param {string} path ends in `.parquet`, or holds NDJSON
 * @returns {import('millrace').SourceConnector}
 */
export function eventFile(path) {
  return (
    path.endsWith('.parquet') ? parquet(path) : ndjson(path, { schema: NESTED_SCHEMA })
  ).source();
}
