/**
 * `millrace state export`: the entries of a state as records of files, which a job writes by the sinks that all jobs
 * have. Callers: `state-command.ts`. Runs on: the main thread. Invariant: state is read as the sink takes it.
 */
import { csv, ndjson, parquet } from '../api/files.js';
import { job } from '../api/job.js';
import { run } from '../api/start.js';
import { MillraceError } from '../base/errors.js';
import { didYouMean } from '../base/nearest-name.js';
import { formatCount } from '../base/units.js';
import { fromAsync } from '../connector/iterable/iterable.js';
import { type AnyEntry, entriesOf } from '../savepoint/entry-json.js';
import { isKeyed, type SavepointReader } from '../savepoint/savepoint-reader.js';
import type { StateKind } from '../savepoint/state-catalog.js';
import type { ViewedTimer } from '../savepoint/state-views.js';
import type { CommandContext } from './command-context.js';
import type { StateCall } from './state-program.js';

const FORMATS = { ndjson, csv, parquet } as const;

type Row = Record<string, unknown>;

/** Writes the files. */
export async function exportCommand(
  reader: SavepointReader,
  { uid, state, options }: Extract<StateCall, { command: 'export' }>,
  { json, stdout }: CommandContext,
): Promise<void> {
  const { format = 'ndjson', to } = options;
  const open = Object.entries(FORMATS).find(([name]) => name === format)?.[1];
  if (open === undefined) {
    throw new MillraceError('OPTION_INVALID', `There is no format ${JSON.stringify(format)}.`, {
      advice: didYouMean(format, Object.keys(FORMATS)),
    });
  }
  const { kind } = reader.find(uid, state).state;
  let rows = 0;
  function* records(): Generator<Row> {
    for (const entry of entriesOf(reader, uid, state)) {
      for (const row of rowsOf(entry, kind)) {
        rows++;
        yield row;
      }
    }
  }
  const exporting = job('state export', (flow) => {
    flow.from(fromAsync(records)).to(open(to));
  });
  await run(exporting, { runtime: 'in-thread', parallelism: 1 });
  if (json === null) stdout.write(`${formatCount(rows).trim()} records in ${to}\n`);
  else json.line('exported', { uid, state, records: rows, path: to, format });
}

/** A record for each element of a list, entry of a map and timer, one for any other entry. */
function rowsOf({ key, more = [], value }: AnyEntry, kind: StateKind): readonly Row[] {
  const place: Row = { ...keyFields(key, kind), ...numbered('more', more) };
  switch (kind) {
    case 'list':
      return (value as readonly unknown[]).map((item, index) => ({ ...place, index, value: item }));
    case 'map':
      return Array.from(value as ReadonlyMap<unknown, unknown>, ([mapKey, item]) => {
        return { ...place, mapKey, value: item };
      });
    case 'timers':
      return (value as readonly ViewedTimer[]).map(({ timeMs, space }) => {
        return { ...place, timeMs, ...numbered('space', space) };
      });
    case 'table':
      return [isRecord(value) ? { ...place, ...value } : { ...place, value }];
    default:
      return [{ ...place, value }];
  }
}

/** A key of several parts is as many fields. */
function keyFields(key: unknown, kind: StateKind): Row {
  if (key === undefined) return {};
  return Array.isArray(key) && isKeyed(kind) ? numbered('key', key) : { key };
}

function numbered(name: string, parts: readonly unknown[]): Row {
  return Object.fromEntries(parts.map((part, at) => [`${name}${at + 1}`, part]));
}

function isRecord(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
