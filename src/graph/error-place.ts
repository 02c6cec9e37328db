/**
 * Where in the user's program a graph error belongs: the operator by name and uid, the file and
 * line that created it. Callers: validation and placement. Runs on: any thread; pure.
 */
import type { ErrorCode } from '../base/error-codes.js';
import { type ErrorWhere, MillraceError } from '../base/errors.js';
import { identityOf, type LogicalNode } from './logical-graph.js';

/** The coordinates of a node. */
export function placeOf(jobName: string, node: LogicalNode): ErrorWhere {
  const { name, uid, createdAt } = identityOf(node);
  const line = createdAt === null ? null : /^(.*?):(\d+)(?::\d+)?$/.exec(createdAt);
  const source = line === null ? {} : { file: line[1] ?? '', line: Number(line[2]) };
  return { job: jobName, operator: name, uid, ...source };
}

/** An error about a node that names its operator and the user's line. */
export function nodeError(
  code: ErrorCode,
  jobName: string,
  node: LogicalNode,
  message: string,
  details: { readonly advice?: string; readonly field?: string; readonly cause?: unknown } = {},
): MillraceError {
  const { name, createdAt } = identityOf(node);
  const at = createdAt === null ? '' : ` at ${createdAt}`;
  const { field, ...rest } = details;
  const where = { ...placeOf(jobName, node), ...(field === undefined ? {} : { field }) };
  return new MillraceError(code, `Operator "${name}"${at}: ${message}`, { ...rest, where });
}

/** Runs `check`; an error it throws is thrown on with the operator and line of `node`. */
export function withPlace<T>(jobName: string, node: LogicalNode, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!MillraceError.is(error) || error.code === 'ASSERTION') throw error;
    const placed = nodeError(error.code, jobName, node, error.message, {
      ...(error.advice === null ? {} : { advice: error.advice }),
      cause: error,
    });
    throw placed.at(error.where);
  }
}

/** The file without its folders, and the line: `job.ts:12`. Null when the place is not known. */
export function shortPlace(createdAt: string | null): string | null {
  const match = createdAt === null ? null : /([^/\\:]+):(\d+)(?::\d+)?$/.exec(createdAt);
  return match === null ? null : `${match[1]}:${match[2]}`;
}
