/**
 * What the paths that look into the state of checkpoints take and give. Callers: `paths.ts`, the server's handlers, the
 * console. Runs on: any thread; pure data.
 */
import {
  anything,
  integer,
  list,
  nullable,
  object,
  oneOf,
  text,
  type ValueOf,
} from './json-schema.js';

const count = integer();
const checkpointShown = object({
  id: count,
  kind: oneOf('checkpoint', 'savepoint'),
  path: text(),
  timestampMs: integer(),
});
const stateKind = oneOf(
  'value',
  'list',
  'map',
  'timers',
  'table',
  'operatorList',
  'unionList',
  'broadcast',
);
const stateShown = object({
  name: text(),
  kind: stateKind,
  keyTypes: list(text()),
  valueType: nullable(text()),
  bytes: count,
  /** Null when there was no time to count them. */
  entries: nullable(count),
  keyGroups: count,
  /** The key group with most of its bytes; null without keys. */
  largest: nullable(object({ keyGroup: count, bytes: count })),
});
export const checkpointState = object({
  checkpoint: checkpointShown,
  operators: list(
    object({
      uid: text(),
      name: text(),
      parallelism: count,
      maxParallelism: count,
      states: list(stateShown),
    }),
  ),
});
const data =
  'As `millrace state scan` prints it; {"$cut": {"text", "bytes"}} for what is too long.';
export const stateEntries = object({
  checkpoint: checkpointShown,
  operator: text(),
  state: text(),
  kind: stateKind,
  entries: list(
    object(
      { value: anything(data), bytes: count },
      { keyGroup: count, key: anything(data), more: list(anything(data)) },
    ),
  ),
  /** Entries that were looked at. */
  looked: count,
  /** The \`after\` of the next page; null when all were looked at. */
  next: nullable(text()),
});
const key = text({ maxLength: 4096, description: 'Only of this key, as it is printed.' });
export const entriesQuery = {
  operator: text({ maxLength: 1024, description: 'Its uid; required.' }),
  state: text({ maxLength: 1024, description: 'Required.' }),
  key,
  prefix: text({ maxLength: 4096, description: 'Only keys that begin so.' }),
  after: text({ pattern: '^[0-9]{1,5}\\.[0-9]{1,15}$', description: 'The `next` of a page.' }),
  limit: text({ pattern: '^([1-9][0-9]{0,2}|1000)$', description: 'Entries; default: 100.' }),
  bytes: text({
    pattern: '^[1-9][0-9]{0,4}$',
    description: 'Of a key or value, as JSON; default: 2048.',
  }),
} as const;

export type CheckpointState = ValueOf<typeof checkpointState>;
export type StateEntries = ValueOf<typeof stateEntries>;
