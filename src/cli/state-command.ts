/**
 * `millrace state`: looks into checkpoints and savepoints. Callers: `main.ts`. Runs on: the main thread. Invariant: a
 * checkpoint is only read; a scan holds no more than one key group in memory, however many entries there are.
 */
import { setImmediate } from 'node:timers/promises';
import { MillraceError } from '../base/errors.js';
import { nearestName } from '../base/nearest-name.js';
import { formatBytes, formatCount } from '../base/units.js';
import { MAX_PARALLELISM_LIMIT } from '../record/key-group.js';
import { entriesOf, type EntryJson, entryToJson, keyOfText } from '../savepoint/entry-json.js';
import {
  type OperatorInfo,
  type ReadKeyedStateOptions,
  SavepointReader,
  type StateInfo,
} from '../savepoint/savepoint-reader.js';
import { valueToJson } from '../savepoint/value-json.js';
import { type CommandContext, reportCallError } from './command-context.js';
import { EXIT_BROKEN_PIPE, EXIT_FAILED, EXIT_OK } from './exit-codes.js';
import type { StateCall, StateScanOptions } from './state-program.js';
import { type Style, styleFor } from './style.js';
import { textTable } from './text-table.js';

/** Lines after which a scan lets the outside have a say. */
const LINES_AT_ONCE = 1000;
/** Keys that are looked at for one that may have been meant. */
const KEYS_LOOKED_AT = 10_000;

/** Does what a call says; the exit code. */
export async function stateCommand(call: StateCall, context: CommandContext): Promise<number> {
  if (call.command === 'edit') {
    const { editCommand } = await import('./state-edit-command.js');
    await editCommand(call, context);
    return EXIT_OK;
  }
  const reader = SavepointReader.read(call.path);
  try {
    switch (call.command) {
      case 'ls':
        return list(reader, context);
      case 'get':
        return await getKey(reader, call, context);
      case 'diff': {
        const { diffCommand } = await import('./state-diff-command.js');
        return diffCommand(reader, call, context);
      }
      case 'export': {
        const { exportCommand } = await import('./state-export-command.js');
        await exportCommand(reader, call, context);
        return EXIT_OK;
      }
      default:
        return await scan(reader, call, context);
    }
  } finally {
    reader.close();
  }
}

function list(reader: SavepointReader, { json, stdout }: CommandContext): number {
  const { id, kind, path, jobName, timestampMs, operators } = reader;
  const counted = operators.map((operator) => ({
    ...operator,
    states: operator.states.map((state) => ({
      ...state,
      entries: reader.count(operator.uid, state.name),
    })),
  }));
  if (json !== null) {
    json.line('checkpoint', { id, kind, path, jobName, timestampMs });
    for (const operator of counted) json.line('operator', plainSource(operator));
    return EXIT_OK;
  }
  const style = styleFor({ isTTY: stdout.isTTY === true, environment: process.env });
  const taken = new Date(timestampMs).toISOString();
  const lines = [
    `${style.bold(`${kind} ${id}`)} of job ${JSON.stringify(jobName)}, taken ${taken}`,
    style.dim(path),
    '',
    ...operatorTable(counted, style),
    '',
    ...stateTable(counted, style),
    ...counted.flatMap(sourceLines),
  ];
  stdout.write(`${lines.join('\n')}\n`);
  return EXIT_OK;
}

/** Positions are whatever a source keeps. */
function plainSource(operator: OperatorInfo): object {
  const { source } = operator;
  if (source === null) return operator;
  const inHand = source.inHand.map(({ split, position }) => {
    return { split, position: valueToJson(position) };
  });
  return { ...operator, source: { ...source, inHand } };
}

function operatorTable(operators: readonly OperatorInfo[], style: Style): readonly string[] {
  const rows = operators.map(({ uid, name, parallelism, maxParallelism, source, sink }) => [
    uid,
    name,
    String(parallelism),
    String(maxParallelism),
    source !== null
      ? `source: ${source.inHand.length} splits in hand, ${source.finished.length} finished`
      : sink !== null
        ? `sink: ${sink.pending} to commit`
        : '',
  ]);
  const columns = [
    { head: 'uid' },
    { head: 'name' },
    { head: 'parallelism', isNumber: true },
    { head: 'max', isNumber: true },
    { head: '' },
  ];
  return textTable(columns, rows, style);
}

/** An operator whose entries have been counted. */
type CountedOperator = Omit<OperatorInfo, 'states'> & {
  readonly states: readonly (StateInfo & { readonly entries: number })[];
};

function stateTable(operators: readonly CountedOperator[], style: Style): readonly string[] {
  const rows = operators.flatMap(({ uid, states }) =>
    states.map(({ name, kind, keyTypes, valueType, entries, bytes }) => [
      uid,
      name,
      kind,
      keyTypes.join(', '),
      formatCount(entries).trim(),
      formatBytes(bytes).trim(),
      valueType ?? '',
    ]),
  );
  if (rows.length === 0) return ['No operator has state.'];
  const columns = [
    { head: 'uid' },
    { head: 'state' },
    { head: 'kind' },
    { head: 'key' },
    { head: 'entries', isNumber: true },
    { head: 'bytes', isNumber: true },
    { head: 'type' },
  ];
  return textTable(columns, rows, style);
}

function sourceLines({ uid, source }: OperatorInfo): readonly string[] {
  if (source === null || source.inHand.length === 0) return [];
  const positions = source.inHand.map(
    ({ split, position }) => `  ${split} at ${JSON.stringify(valueToJson(position))}`,
  );
  return ['', `${uid} reads on:`, ...positions];
}

async function getKey(
  reader: SavepointReader,
  { uid, state, key }: Extract<StateCall, { command: 'get' }>,
  context: CommandContext,
): Promise<number> {
  const { json, stdout } = context;
  const given = keyOfText(reader, uid, state, key);
  const value = reader.get(uid, state, given);
  if (value === undefined) {
    await reportCallError(noKey(reader, uid, state, key), context);
    return EXIT_FAILED;
  }
  const shown = valueToJson(value);
  if (json === null) stdout.write(`${JSON.stringify(shown, null, 2)}\n`);
  else json.line('entry', { uid, state, key: given, value: shown });
  return EXIT_OK;
}

function noKey(reader: SavepointReader, uid: string, state: string, key: string): MillraceError {
  const near = nearestName(key, keysOf(reader, uid, state));
  return new MillraceError(
    'STATE_NOT_FOUND',
    `${uid} has no ${JSON.stringify(state)} for ${key}.`,
    {
      where: { file: reader.path, uid },
      ...(near === null ? {} : { advice: `Did you mean ${JSON.stringify(near)}?` }),
    },
  );
}

function* keysOf(reader: SavepointReader, uid: string, state: string): Generator<string> {
  let left = KEYS_LOOKED_AT;
  for (const { key } of reader.readKeyedState(uid, state)) {
    if (typeof key === 'string') yield key;
    if (--left === 0) return;
  }
}

async function scan(
  reader: SavepointReader,
  { uid, state, options }: Extract<StateCall, { command: 'scan' }>,
  { json, stdout }: CommandContext,
): Promise<number> {
  const { operator, state: found } = reader.find(uid, state);
  const types = reader.keyTypes(operator, found);
  const limit = limitOf(options);
  let count = 0;
  for (const entry of entriesOf(reader, uid, state, readOptions(options))) {
    if (count === limit) break;
    count++;
    const shown = entryToJson(entry, types);
    if (json !== null) json.line('entry', { uid, state, ...shown });
    else stdout.write(`${entryLine(shown)}\n`);
    if (count % LINES_AT_ONCE !== 0) continue;
    await setImmediate();
    if (process.stdout.destroyed) return EXIT_BROKEN_PIPE;
  }
  return EXIT_OK;
}

function entryLine({ key, more = [], value }: EntryJson): string {
  const name = typeof key === 'string' ? key : JSON.stringify(key);
  const parts = [name, ...more.map((part) => JSON.stringify(part)), JSON.stringify(value)];
  return parts.filter((part) => part !== undefined).join('\t');
}

function readOptions({ keyGroups }: StateScanOptions): ReadKeyedStateOptions {
  return keyGroups === undefined ? {} : { keyGroups: groupsOf(keyGroups) };
}

function limitOf({ limit }: StateScanOptions): number {
  if (limit === undefined) return Number.POSITIVE_INFINITY;
  if (/^\d+$/.test(limit)) return Number(limit);
  throw new MillraceError('OPTION_INVALID', `--limit ${limit} is no whole number.`);
}

/** `0-31,64` */
function groupsOf(text: string): readonly number[] {
  return text.split(',').flatMap((range) => {
    const [, first, last = first] = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(range) ?? [];
    const [start, end] = [Number(first), Number(last)];
    if (first === undefined || end < start || end >= MAX_PARALLELISM_LIMIT) {
      throw new MillraceError('OPTION_INVALID', `--key-groups ${text} names no key groups.`, {
        advice: 'Write them as 0-31,64.',
      });
    }
    return Array.from({ length: end - start + 1 }, (_, at) => start + at);
  });
}
