/**
 * `fetch` for servers whose certificate no authority has signed that Node.js knows, and for those that ask for one of
 * the client: the `fetch` of Node.js takes neither. Callers: users, by `millrace/client`, and the command line. Runs
 * on: the caller's thread; Node.js only.
 */
import { Agent, request as send } from 'node:https';
import { Readable } from 'node:stream';

/** Whom to trust, and who one is; each as PEM. */
export interface TlsOptions {
  /** Certificates of the authorities that are trusted in place of those that Node.js knows. */
  readonly ca?: string;
  /** The client's own certificate, which a server may ask for, with those that lead to an authority. */
  readonly cert?: string;
  /** Its key. */
  readonly key?: string;
  /** What the key is encrypted with. */
  readonly passphrase?: string;
}

/** Replies that have no body. */
const BODILESS = new Set([204, 205, 304]);

/**
 * A `fetch` over TLS for `createClient`. It follows no redirects.
 *
 * @example
 * const ca = readFileSync('ca.pem', 'utf8');
 * const client = createClient({ url: 'https://jobs.example:8081', fetch: tlsFetch({ ca }) });
 */
export function tlsFetch(options: TlsOptions): typeof fetch {
  const agent = new Agent({ ...options, keepAlive: true });
  return async (input, init) => {
    const request = new Request(input, init);
    const { url, method, signal } = request;
    const body = request.body === null ? null : Buffer.from(await request.arrayBuffer());
    const headers = Object.fromEntries(request.headers);
    return new Promise((resolve, reject) => {
      const sent = send(url, { method, headers, agent, signal }, (reply) => {
        const { statusCode: status = 500, statusMessage: statusText = '' } = reply;
        const content = BODILESS.has(status) ? null : Readable.toWeb(reply);
        const told = new Headers();
        for (const [name, value] of Object.entries(reply.headers)) {
          for (const one of [value ?? []].flat()) told.append(name, one);
        }
        const response = new Response(content as ReadableStream | null, {
          status,
          statusText,
          headers: told,
        });
        Object.defineProperty(response, 'url', { value: url });
        resolve(response);
      });
      // As `fetch` tells it, whose cause says what it was.
      sent.once('error', (cause) => reject(new TypeError('fetch failed', { cause })));
      sent.end(body);
    });
  };
}
