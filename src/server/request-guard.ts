/**
 * Who may ask: a page of elsewhere may not, whatever name it gives this machine, and where there is a token, nobody may
 * without it. Callers: `http-server.ts`, before anything of a request is read. Runs on: the server's thread; pure.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { MillraceError } from '../base/errors.js';

/** Four numbers, or something with colons: no name looks so. */
const ADDRESS = /^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f.]*:[0-9a-f:.]*)$/;

/** What is allowed. */
export interface GuardOptions {
  /** Names besides addresses and `localhost` by which the server may be called; null allows any. */
  readonly hosts: readonly string[] | null;
  /** Null asks for none. */
  readonly token: string | null;
}

/** The headers that are looked at. */
export interface GuardedHeaders {
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
  readonly authorization?: string | undefined;
}

/** Throws REQUEST_FORBIDDEN. */
export function guardRequest(headers: GuardedHeaders, { hosts, token }: GuardOptions): void {
  const { host = '', origin, authorization = '' } = headers;
  // A page can have its own name resolve to this machine, but it cannot have an address for a name.
  const name = hostName(host);
  const isKnown = name === 'localhost' || ADDRESS.test(name) || hosts?.includes(name) !== false;
  if (!isKnown) {
    throw new MillraceError('REQUEST_FORBIDDEN', `The server is not called ${name}.`, {
      advice: 'Call it by its address, or start it with --allow-host.',
    });
  }
  if (origin !== undefined && !/^https?:\/\//.test(origin)) throw foreign(origin);
  if (origin !== undefined && origin.replace(/^https?:\/\//, '') !== host) throw foreign(origin);
  if (token === null) return;
  const given = /^Bearer (.+)$/i.exec(authorization)?.[1] ?? '';
  if (!timingSafeEqual(digest(given), digest(token))) {
    throw new MillraceError('REQUEST_FORBIDDEN', 'The request does not carry the token.', {
      advice: 'Send it as Authorization: Bearer …; the command line takes it from MILLRACE_TOKEN.',
    });
  }
}

function hostName(host: string): string {
  const bracketed = /^\[([^\]]*)\]/.exec(host)?.[1];
  return (bracketed ?? host.replace(/:\d+$/, '')).toLowerCase();
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function foreign(origin: string): MillraceError {
  return new MillraceError('REQUEST_FORBIDDEN', `Pages of ${origin} may not ask this server.`);
}
