/**
 * The lines of the log of a job as the console shows them. Callers: the tab of logs. Runs on: the page's thread; pure.
 */
import { LOG_LEVELS, type LogLevel } from '../base/function-log.js';
import type { JobLogLine } from '../rest/job-log-line.js';

/** A line that is shown. */
export interface ShownLine {
  readonly level: LogLevel;
  /** `operator[subtask]`; empty for what becomes of the job. */
  readonly place: string;
  /** All of it in one line. */
  readonly text: string;
  /** What is behind it: fields, attempt, a stack. */
  readonly detail: string;
}

/** The lines in the end of a log; a first one that is cut is left out, as is what is no line of a log. */
export function linesIn(text: string): readonly ShownLine[] {
  return text.split('\n').flatMap((line) => {
    const parsed = parsedLine(line);
    return parsed === null ? [] : [shownLine(parsed)];
  });
}

/** Those of at least a level that hold a text. */
export function chosenLines(
  lines: readonly ShownLine[],
  least: LogLevel,
  search: string,
): readonly ShownLine[] {
  const from = LOG_LEVELS.indexOf(least);
  const words = search.toLowerCase();
  return lines.filter(
    ({ level, text }) => LOG_LEVELS.indexOf(level) >= from && text.toLowerCase().includes(words),
  );
}

function parsedLine(line: string): JobLogLine | null {
  try {
    const parsed: unknown = JSON.parse(line);
    return typeof parsed === 'object' && parsed !== null ? (parsed as JobLogLine) : null;
  } catch {
    return null;
  }
}

function shownLine(line: JobLogLine): ShownLine {
  const { level, time, operator, subtask, attempt, dropped, fields, msg } = line;
  const at = new Date(time).toISOString().slice(11, 23);
  const place = operator === undefined ? '' : `${operator}[${subtask ?? 0}]`;
  const { stack, ...rest } = Object(fields) as { readonly stack?: unknown };
  const isList = Array.isArray(fields);
  const hasFields = fields !== undefined && (isList || Object.keys(rest).length > 0);
  const given = hasFields ? JSON.stringify(isList ? fields : rest) : '';
  const left = dropped === undefined ? '' : `(${dropped} lines before it left out)`;
  const parts = [at, level.toUpperCase().padEnd(5), place, msg, given, left];
  const detail = [
    new Date(time).toISOString(),
    ...(attempt === undefined ? [] : [`attempt ${attempt}`]),
    ...(hasFields ? [JSON.stringify(isList ? fields : rest, null, 2)] : []),
    ...(typeof stack === 'string' ? [stack] : []),
  ];
  return {
    level,
    place,
    text: parts
      .filter((part) => part !== '')
      .join(' ')
      .replaceAll('\n', ' ⏎ '),
    detail: detail.join('\n'),
  };
}
