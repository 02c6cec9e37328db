/**
 * `millrace state diff`: how two checkpoints differ. Callers: `state-command.ts`. Runs on: the main thread.
 */
import { MillraceError } from '../base/errors.js';
import {
  type ChangedEntry,
  diffSavepoints,
  type SavepointDiff,
  type StateDiff,
} from '../savepoint/savepoint-diff.js';
import { SavepointReader } from '../savepoint/savepoint-reader.js';
import { valueToJson } from '../savepoint/value-json.js';
import type { CommandContext } from './command-context.js';
import { EXIT_FAILED, EXIT_OK } from './exit-codes.js';
import type { StateCall } from './state-program.js';
import { type Style, styleFor } from './style.js';
import { textTable } from './text-table.js';

/** Characters of a value that are printed; `--json` has all. */
const SHOWN_MAX = 200;
const MARKS = { added: '+', removed: '-', changed: '~' } as const;

/** Prints the differences; the exit code, 1 when there are some. */
export function diffCommand(
  before: SavepointReader,
  { other, options }: Extract<StateCall, { command: 'diff' }>,
  { json, stdout }: CommandContext,
): number {
  const samplesMax = samplesOf(options.samples);
  const after = SavepointReader.read(other);
  try {
    const diff = diffSavepoints(before, after, { samplesMax });
    if (json === null) {
      const style = styleFor({ isTTY: stdout.isTTY === true, environment: process.env });
      stdout.write(`${diffLines(diff, style).join('\n')}\n`);
    } else {
      const { states, ...operators } = diff;
      json.line('diff', operators);
      for (const state of states) json.line('stateDiff', plain(state));
    }
    return diff.isDifferent ? EXIT_FAILED : EXIT_OK;
  } finally {
    after.close();
  }
}

function samplesOf(text: string | undefined): number {
  if (text === undefined) return 5;
  if (/^\d+$/.test(text)) return Number(text);
  throw new MillraceError('OPTION_INVALID', `--samples ${text} is no whole number.`);
}

function plain(state: StateDiff): object {
  const samples = state.samples.map(({ key, more, before, after, ...change }) => ({
    ...change,
    ...(key === undefined ? {} : { key: valueToJson(key) }),
    ...(more.length === 0 ? {} : { more: more.map(valueToJson) }),
    ...(before === undefined ? {} : { before: valueToJson(before) }),
    ...(after === undefined ? {} : { after: valueToJson(after) }),
  }));
  return { ...state, samples };
}

/** What differs, state by state, with samples below the table. */
function diffLines(diff: SavepointDiff, style: Style): readonly string[] {
  const { addedOperators, removedOperators, changedOperators } = diff;
  if (!diff.isDifferent) return ['They are the same.'];
  const operators = [
    ...addedOperators.map((uid) => style.green(`+ ${uid} is new`)),
    ...removedOperators.map((uid) => style.red(`- ${uid} is gone`)),
    ...changedOperators.map(
      ({ uid }) => `~ ${uid} has another position, parallelism or pending output`,
    ),
  ];
  const changed = diff.states.filter(
    ({ added, removed, changed: other }) => added + removed + other > 0,
  );
  const columns = [
    { head: 'uid' },
    { head: 'state' },
    { head: 'added', isNumber: true },
    { head: 'removed', isNumber: true },
    { head: 'changed', isNumber: true },
    { head: 'same', isNumber: true },
  ];
  const rows = changed.map(({ uid, state, ...counts }) => [
    uid,
    state,
    ...[counts.added, counts.removed, counts.changed, counts.same].map(String),
  ]);
  const table = rows.length === 0 ? [] : ['', ...textTable(columns, rows, style)];
  const samples = changed.flatMap(({ uid, state, samples: some }) =>
    some.length === 0 ? [] : ['', style.bold(`${uid} ${state}`), ...some.map(sampleLine)],
  );
  return [...operators, ...table, ...samples];
}

function sampleLine({ change, key, more, before, after }: ChangedEntry): string {
  const name = [...(key === undefined ? [] : [key]), ...more].map(shown).join(' ');
  const values = [before, after].filter((value) => value !== undefined).map(shown);
  return `  ${MARKS[change]} ${name}${name === '' ? '' : ': '}${values.join(' → ')}`;
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(valueToJson(value));
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
}
