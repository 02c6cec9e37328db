/**
 * Servers in programs, `millrace/server`: one that is part of the program's own HTTP server, and one with a port of its
 * own; re-exports only. Callers: users' programs, the command line. Runs on: the caller's thread.
 */
export {
  mountServer,
  type MountedServer,
  type MountOptions,
} from './server/mounted-server.js';
export type { Admission } from './server/served-job.js';
export {
  type Server,
  type ServerOptions,
  startServer,
  type SubmitOptions,
} from './server/server.js';
