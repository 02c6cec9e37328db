/**
 * A typed client of a server, `millrace/client`: re-exports only. Callers: users' programs. Runs on: the caller's
 * thread.
 */
export {
  type CallArguments,
  type CallOf,
  type Client,
  type ClientOptions,
  createClient,
  type PathCalls,
} from './rest/client.js';
export { tlsFetch, type TlsOptions } from './rest/tls-fetch.js';
export type { RestEvent } from './rest/event-reader.js';
