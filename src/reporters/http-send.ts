/**
 * Sends a report over HTTP. Callers: reporters. Runs on: their thread. Invariant: an answer is read to its end, so that
 * its connection is free for the next report.
 */

/** A request. */
export interface HttpReport {
  readonly method: 'POST' | 'PUT' | 'DELETE';
  /** With a user and password in it, these are sent as such. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly signal: AbortSignal | null;
}

/** As much of the answer as a message has. */
const SHOWN_MAX = 200;

/** Rejects unless the answer is one of success. */
export async function httpSend({ method, url, headers, body, signal }: HttpReport): Promise<void> {
  const target = new URL(url);
  const { username, password } = target;
  target.username = '';
  target.password = '';
  const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const response = await fetch(target, {
    method,
    headers: username === '' ? headers : { ...headers, authorization: basic(user) },
    ...(body === null ? {} : { body }),
    ...(signal === null ? {} : { signal }),
  });
  const answer = await response.text();
  if (response.ok) return;
  const shown = answer.trim().slice(0, SHOWN_MAX);
  throw new Error(`it answered ${response.status}${shown === '' ? '' : `: ${shown}`}`);
}

/** The header of a user and password, separated by a colon. */
export function basic(user: string): string {
  return `Basic ${Buffer.from(user).toString('base64')}`;
}
