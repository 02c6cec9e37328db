/**
 * A line of a log as people read it. Callers: the run, dev and logs commands. Runs on: the main thread; pure.
 */
import type { JobLogLine } from '../rest/job-log-line.js';
import type { Paint, Style } from './style.js';

const PAINTS: Readonly<Record<string, (style: Style) => Paint>> = {
  trace: ({ dim }) => dim,
  debug: ({ dim }) => dim,
  info: ({ green }) => green,
  warn: ({ yellow }) => yellow,
  error: ({ red }) => red,
};

/** Time, level, operator with its subtask, message, fields; a stack below it. */
export function logText(line: JobLogLine, style: Style): string {
  const { level, time, operator, subtask, dropped, fields, msg } = line;
  const at = new Date(time).toISOString().slice(11, 23);
  const paint = PAINTS[level]?.(style) ?? ((text: string) => text);
  const of = operator === undefined ? '' : ` ${style.cyan(`${operator}[${subtask ?? 0}]`)}`;
  const { stack, ...rest } = Object(fields) as { readonly stack?: unknown };
  const given = fields === undefined || Object.keys(rest).length === 0 ? '' : jsonOf(fields, rest);
  const left = dropped === undefined ? '' : style.dim(` (${dropped} lines before it left out)`);
  const head = `${style.dim(at)} ${paint(level.toUpperCase().padEnd(5))}${of} ${msg}`;
  const below = typeof stack === 'string' ? `\n${style.dim(stack)}` : '';
  return `${head}${given === '' ? '' : ` ${style.dim(given)}`}${left}${below}`;
}

function jsonOf(fields: unknown, rest: object): string {
  return JSON.stringify(Array.isArray(fields) ? fields : rest);
}
