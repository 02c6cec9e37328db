/**
 * A plan of a restore as text: a line for each operator, then what stands in the way. Callers: run and explain
 * commands. Runs on: the main thread; pure.
 */
import type { RestorePlan } from '../rest/restore-schemas.js';
import { changedStates, changeText, heldText, type PlannedOperator } from '../rest/restore-text.js';
import { shortPath } from './short-path.js';
import type { Paint, Style } from './style.js';
import { textTable } from './text-table.js';

const PAINTS: Readonly<Record<PlannedOperator['fate'], (style: Style) => Paint>> = {
  restored: ({ green }) => green,
  new: ({ cyan }) => cyan,
  lost: ({ red }) => red,
  dropped: ({ dim }) => dim,
};

/** The lines; `directory` is what paths are shortened to. */
export function restoreLines(
  { job, checkpoint, operators, unreadable, refusals }: RestorePlan,
  directory: string,
  style: Style,
): readonly string[] {
  const faults = [
    ...evolutionLines(operators, style),
    ...(unreadable.length === 0 ? [] : ['', style.bold('cannot be read')]),
    ...unreadable.map((error) => `  ${faultLine(error, directory)}`),
    ...(refusals.length === 0 ? [] : ['', style.bold('the job would not start')]),
    ...refusals.flatMap(({ code, message, advice, where }) => [
      `  ${code ?? 'error'} ${message}${where.uid === undefined ? '' : ` (uid ${where.uid})`}`,
      ...(advice === null ? [] : [style.dim(`  ${advice}`)]),
    ]),
  ];
  if (checkpoint === null) {
    return [`There is no checkpoint of ${JSON.stringify(job)}: the job would begin.`, ...faults];
  }
  const { kind, id, path, jobName, timestampMs } = checkpoint;
  const taken = new Date(timestampMs).toISOString();
  const columns = [
    { head: '' },
    { head: 'uid' },
    { head: 'name' },
    { head: 'parallelism', isNumber: true },
    { head: 'max', isNumber: true },
    { head: 'state' },
  ];
  const rows = operators.map((operator) => [
    operator.fate,
    operator.uid,
    operator.name,
    changeText(operator.before?.parallelism, operator.now?.parallelism),
    changeText(operator.before?.maxParallelism, operator.now?.maxParallelism),
    heldText(operator),
  ]);
  const [head = '', ...lines] = textTable(columns, rows, style);
  return [
    `${style.bold(`${kind} ${id}`)} of job ${JSON.stringify(jobName)}, taken ${taken}`,
    style.dim(shortPath(path, directory)),
    '',
    head,
    ...lines.map((line, at) => {
      const fate = operators[at]?.fate ?? 'new';
      return PAINTS[fate](style)(fate) + line.slice(fate.length);
    }),
    ...faults,
  ];
}

/** The states whose declaration has changed, and what becomes of their values. */
function evolutionLines(operators: RestorePlan['operators'], style: Style): readonly string[] {
  const lines = changedStates(operators).flatMap(({ text, how }) => [
    `  ${text}`,
    ...how.map((line) => style.dim(`    ${line}`)),
  ]);
  return lines.length === 0 ? [] : ['', style.bold('states that are declared otherwise'), ...lines];
}

function faultLine(
  { code, message, where }: RestorePlan['unreadable'][number],
  directory: string,
): string {
  const { file, byteOffset } = where;
  const at = byteOffset === undefined ? '' : ` at byte ${byteOffset}`;
  const place = file === undefined ? '' : `${shortPath(file, directory)}${at}: `;
  return `${code ?? 'error'} ${place}${message}`;
}
