/**
 * A plan of a restore as text: a line for each operator, then what stands in the way. Callers: run and explain
 * commands. Runs on: the main thread; pure.
 */
import type { WireError } from '../base/errors.js';
import { formatBytes } from '../base/units.js';
import type { OperatorInfo } from '../savepoint/savepoint-reader.js';
import type { StateFate } from '../runtime/restored-function-states.js';
import type { RestoredOperator, RestoreFate, RestoreReport } from '../runtime/restore-report.js';
import { shortPath } from './short-path.js';
import type { Paint, Style } from './style.js';
import { textTable } from './text-table.js';

const PAINTS: Readonly<Record<RestoreFate, (style: Style) => Paint>> = {
  restored: ({ green }) => green,
  new: ({ cyan }) => cyan,
  lost: ({ red }) => red,
  dropped: ({ dim }) => dim,
};

/** The lines; `directory` is what paths are shortened to. */
export function restoreLines(
  { job, checkpoint, operators, unreadable, refusals }: RestoreReport,
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
    numbers(operator.before?.parallelism, operator.now?.parallelism),
    numbers(operator.before?.maxParallelism, operator.now?.maxParallelism),
    stateText(operator),
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
function evolutionLines(operators: RestoreReport['operators'], style: Style): readonly string[] {
  const lines = operators.flatMap(({ uid, states }) =>
    (states ?? []).flatMap(({ name, fate, before, now, how }) => {
      const said = FATES[fate];
      if (said === null) return [];
      const types = fate === 'dropped' ? '' : `: ${before ?? 'any'} → ${now ?? 'any'}`;
      return [`  ${uid} ${name} ${said}${types}`, ...how.map((line) => style.dim(`    ${line}`))];
    }),
  );
  return lines.length === 0 ? [] : ['', style.bold('states that are declared otherwise'), ...lines];
}

const FATES: Readonly<Record<StateFate, string | null>> = {
  compatibleAsIs: null,
  new: null,
  compatibleAfterMigration: 'is migrated',
  incompatible: 'cannot be migrated',
  dropped: 'is not declared any more, and will be in no checkpoint of the job',
};

/** `2 → 4` where it changes. */
function numbers(before: number | undefined, now: number | undefined): string {
  const [was, is] = [before, now].map((each) => (each === undefined ? null : String(each)));
  if (was === null || is === null || was === is) return is ?? was ?? '';
  return `${was} → ${is}`;
}

function stateText({ before, fate, perhapsNow }: RestoredOperator): string {
  const parts = before === null ? [] : heldBy(before);
  const hint = perhapsNow === null ? [] : [`perhaps now "${perhapsNow}"`];
  const lost = fate === 'lost' && parts.length === 0 ? ['had state'] : [];
  return [...parts, ...lost, ...hint].join('; ');
}

function heldBy({ states, source, sink }: OperatorInfo): readonly string[] {
  const names = states.map(({ name, bytes }) => `${name} ${formatBytes(bytes).trim()}`);
  const splits =
    source === null
      ? []
      : [`${source.inHand.length} splits in hand, ${source.finished.length} finished`];
  const pending = sink === null || sink.pending === 0 ? [] : [`${sink.pending} to commit`];
  return [...(names.length === 0 ? [] : [names.join(', ')]), ...splits, ...pending];
}

function faultLine({ code, message, where }: WireError, directory: string): string {
  const { file, byteOffset } = where;
  const at = byteOffset === undefined ? '' : ` at byte ${byteOffset}`;
  const place = file === undefined ? '' : `${shortPath(file, directory)}${at}: `;
  return `${code ?? 'error'} ${place}${message}`;
}
