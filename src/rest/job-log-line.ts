/**
 * A line of a log, as the server writes it and everyone else reads it: one JSON object a line. Callers: server, command
 * line. Runs on: any thread; pure.
 */
import type { LogLevel, LogLine } from '../base/function-log.js';

/** The line. What does not apply is left out. */
export interface JobLogLine {
  readonly level: LogLevel;
  /** Wall clock, milliseconds. */
  readonly time: number;
  /** Goes up by one with each line of the log, over all of its files. */
  readonly seq?: number;
  readonly job?: string;
  readonly jobId?: string;
  readonly operator?: string;
  readonly uid?: string;
  readonly subtask?: number;
  readonly attempt?: number;
  /** Lines before it that came too fast and were left out. */
  readonly dropped?: number;
  readonly fields?: unknown;
  readonly msg: string;
}

/** What a function has logged, without its job. */
export function functionLine(line: LogLine, attempt: number): JobLogLine {
  const { level, atMs, message, fields, dropped, operator, uid, subtask } = line;
  return {
    level,
    time: atMs,
    operator,
    uid,
    subtask,
    attempt,
    ...(dropped === 0 ? {} : { dropped }),
    ...(fields === null ? {} : { fields: JSON.parse(fields) as unknown }),
    msg: message,
  };
}
