/**
 * `millrace state edit`: writes a new savepoint that is a checkpoint changed. Callers: `state-command.ts`. Runs on: the
 * main thread. Invariant: nothing is written before all changes have been understood.
 */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { MillraceError } from '../base/errors.js';
import { formatBytes } from '../base/units.js';
import { SavepointWriter } from '../savepoint/savepoint-writer.js';
import { valueFromJson } from '../savepoint/value-json.js';
import type { CommandContext } from './command-context.js';
import type { StateCall } from './state-program.js';

/** Writes the savepoint. */
export async function editCommand(
  { path, options }: Extract<StateCall, { command: 'edit' }>,
  { json, stdout, stderr }: CommandContext,
): Promise<void> {
  const writer = SavepointWriter.fromExistingSavepoint(path);
  for (const uid of options.remove ?? []) writer.removeOperator(uid);
  for (const text of options.rename ?? []) {
    const [, uid = '', to = ''] = /^(.+?)=(.+)$/.exec(text) ?? [];
    if (uid === '') throw notAPair('--rename', text, 'uid=uid');
    writer.changeOperatorIdentifier(uid, to);
  }
  for (const text of options.maxParallelism ?? []) {
    const [, uid, digits = ''] = /^(?:(.+)=)?(\d+)$/.exec(text) ?? [];
    if (digits === '') throw notAPair('--max-parallelism', text, 'n or uid=n');
    writer.withMaxParallelism(Number(digits), uid);
  }
  if (options.apply !== undefined) await applyFile(writer, options.apply);
  const written = writer.write(options.to);
  for (const { uid, state, key } of written.notFound) {
    stderr.write(`${uid} has no ${JSON.stringify(state)} for ${JSON.stringify(key)} to delete\n`);
  }
  if (json !== null) json.line('savepoint', written);
  else {
    const { put, deleted, bytes } = written;
    const changes = `${put} entries set, ${deleted} deleted`;
    stdout.write(`${written.path}\n${changes}, ${formatBytes(bytes).trim()}\n`);
  }
}

async function applyFile(writer: SavepointWriter, file: string): Promise<void> {
  let line = 0;
  const lines = createInterface({ input: createReadStream(file), crlfDelay: Infinity });
  try {
    for await (const text of lines) {
      line++;
      if (text.trim() !== '') applyLine(writer, text);
    }
  } catch (error) {
    throw unread(error, file, line);
  }
}

function applyLine(writer: SavepointWriter, text: string): void {
  const { uid, state, key, ...edit } = JSON.parse(text) as Record<string, unknown>;
  if (typeof uid !== 'string' || typeof state !== 'string') throw noEdit(text);
  if (Array.isArray(edit['items']))
    writer.putListState(uid, state, edit['items'].map(valueFromJson));
  else if (edit['delete'] === true) writer.delete(uid, state, valueFromJson(key));
  else if ('value' in edit)
    writer.put(uid, state, valueFromJson(key), valueFromJson(edit['value']));
  else throw noEdit(text);
}

function noEdit(text: string): MillraceError {
  return new MillraceError('FORMAT_INVALID', `The line says no change: ${text.slice(0, 200)}`, {
    advice: 'Write uid, state and key, and either value or "delete": true; items for lists.',
  });
}

/** Errors of a line name it. */
function unread(error: unknown, file: string, line: number): unknown {
  const where = { file, line };
  if (MillraceError.is(error)) return error.at(where);
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
    return new MillraceError('FILE_NOT_FOUND', `There is no file ${file}.`, { where: { file } });
  }
  return new MillraceError('FORMAT_INVALID', `The line is no JSON: ${String(error)}`, {
    where,
    cause: error,
    advice: 'Give one JSON object a line, as `millrace state scan --json` prints them.',
  });
}

function notAPair(flag: string, text: string, form: string): MillraceError {
  return new MillraceError('OPTION_INVALID', `${flag} ${text} is not of the form ${form}.`);
}
