/**
 * How errors are answered: the status by the code, the body as Flink has it with code and advice beside the message.
 * Callers: `http-server.ts`. Runs on: the server's thread; pure.
 */
import type { ErrorCode } from '../base/error-codes.js';
import { describeError, MillraceError } from '../base/errors.js';
import type { RestErrors } from '../rest/cluster-schemas.js';

/** Codes that are not simply a wrong request. */
const STATUS: Readonly<Partial<Record<ErrorCode, number>>> = {
  ASSERTION: 500,
  STORE_CORRUPT: 500,
  FILE_UNWRITABLE: 500,
  CHECKPOINT_CORRUPT: 500,
  STATE_UNREADABLE: 500,
  JOB_UNKNOWN: 404,
  BUNDLE_UNKNOWN: 404,
  TRIGGER_UNKNOWN: 404,
  PATH_UNKNOWN: 404,
  CHECKPOINT_NOT_FOUND: 404,
  STATE_NOT_FOUND: 404,
  JOB_NOT_RUNNING: 409,
  CHECKPOINT_IN_USE: 409,
  REQUEST_TOO_LARGE: 413,
  REQUEST_FORBIDDEN: 403,
  UPLOADS_DISABLED: 403,
  TAPS_DISABLED: 403,
  OPERATOR_UNKNOWN: 404,
  SLOTS_EXHAUSTED: 503,
  SERVER_UNREACHABLE: 503,
  NOT_LEADER: 503,
  LEADERSHIP_LOST: 503,
};

/** The status of a reply that tells of the error; any error without a code is a defect of the server. */
export function statusOf(error: unknown): number {
  return MillraceError.is(error) ? (STATUS[error.code] ?? 400) : 500;
}

/** The body of that reply. */
export function errorBody(error: unknown): RestErrors {
  if (!MillraceError.is(error)) {
    const message = error instanceof Error ? error.message : String(error);
    return { errors: [message], code: null, message, advice: null };
  }
  const { code, message, advice } = error;
  return { errors: [describeError(error)], code, message, advice };
}

/** What the HTTP library finds wrong with a request. */
export interface FoundWrong {
  readonly code?: string;
  readonly message: string;
  readonly statusCode?: number | undefined;
}

/** As one of our errors; null when it is none of the client's. `partMax` bounds the parts of a path, in characters. */
export function requestError(
  { code, message, statusCode }: FoundWrong,
  partMax: number,
): MillraceError | null {
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return new MillraceError('REQUEST_TOO_LARGE', message, {
      advice: 'Send less; docs/rest.md names the bounds.',
    });
  }
  if (code === 'FST_ERR_MAX_PARAM_LENGTH') {
    return new MillraceError('REQUEST_INVALID', `A part of the path is longer than ${partMax}.`, {
      advice: 'Ids of jobs, chains and bundles are shorter; GET /jobs and GET /jars list them.',
    });
  }
  const isClients = statusCode !== undefined && statusCode >= 400 && statusCode < 500;
  return isClients ? new MillraceError('REQUEST_INVALID', message) : null;
}
