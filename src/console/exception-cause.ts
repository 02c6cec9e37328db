/**
 * Exceptions put together by their cause, the one that happened last first. Callers: the list of exceptions. Runs on:
 * the page's thread; pure.
 */
import type { JobExceptions } from '../rest/job-schemas.js';

export type ExceptionEntry = JobExceptions['exceptionHistory']['entries'][number];

/** Exceptions with one cause. */
export interface ExceptionGroup {
  readonly key: string;
  readonly name: string;
  readonly message: string;
  readonly count: number;
  readonly firstMs: number;
  readonly lastMs: number;
  /** Operators and subtasks that they happened in. */
  readonly tasks: readonly string[];
  /** The last one, with its causes. */
  readonly stack: string;
}

/** Groups by the code and what is wrong, whatever numbers the message holds. */
export function groupedByCause(entries: readonly ExceptionEntry[]): readonly ExceptionGroup[] {
  const groups = new Map<string, ExceptionEntry[]>();
  for (const entry of entries) {
    const key = `${entry.exceptionName} ${headOf(entry).replaceAll(/\d+/g, '#')}`;
    const known = groups.get(key);
    if (known === undefined) groups.set(key, [entry]);
    else known.push(entry);
  }
  const made = [...groups].map(([key, members]) => groupOf(key, members));
  return made.toSorted((a, b) => b.lastMs - a.lastMs);
}

function groupOf(key: string, members: readonly ExceptionEntry[]): ExceptionGroup {
  const newestFirst = members.toSorted((a, b) => b.timestamp - a.timestamp);
  const times = newestFirst.map(({ timestamp }) => timestamp);
  const [newest] = newestFirst;
  const tasks = newestFirst.flatMap(({ taskName }) => (taskName === null ? [] : [taskName]));
  const name = newest?.exceptionName ?? '';
  return {
    key,
    name,
    message: newest === undefined ? '' : headOf(newest).replace(`${name}: `, ''),
    count: members.length,
    firstMs: times.at(-1) ?? 0,
    lastMs: times[0] ?? 0,
    tasks: [...new Set(tasks)],
    stack: newest?.stacktrace ?? '',
  };
}

function headOf({ stacktrace }: ExceptionEntry): string {
  return stacktrace.split('\n', 1)[0] ?? '';
}
