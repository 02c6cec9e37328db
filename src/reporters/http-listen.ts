/**
 * A small HTTP server for reporters that are asked. Callers: reporters. Runs on: their thread. Invariant: it keeps no
 * process alive, and nothing of it is left once it is closed.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { MillraceError } from '../base/errors.js';

/** Answers one request. */
export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** Listens on the first free port of a range such as `9249-9259`. Rejects with OPTION_INVALID when none is free. */
export async function httpListen(host: string, ports: string, answer: Answer): Promise<Server> {
  const { from, to } = rangeOf(ports);
  for (let port = from; port <= to; port++) {
    const server = createServer((request, response) => {
      try {
        answer(request, response);
      } catch (error) {
        response.writeHead(500).end(error instanceof Error ? error.message : String(error));
      }
    });
    if (await listens(server, host, port)) {
      server.unref();
      return server;
    }
  }
  throw new MillraceError('OPTION_INVALID', `No port of ${host}:${ports} is free.`, {
    advice: 'Give it another port, or a range of ports.',
  });
}

/** Ends a server and its connections. */
export function httpClose(server: Server | null): Promise<void> {
  return new Promise((resolve) => {
    if (server === null) return resolve();
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function listens(server: Server, host: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else reject(error);
    });
    server.listen({ host, port }, () => resolve(true));
  });
}

function rangeOf(ports: string): { readonly from: number; readonly to: number } {
  const [, from = '', to = from] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(ports.trim()) ?? [];
  const range = { from: Number(from), to: Number(to) };
  if (from !== '' && range.from <= range.to && range.to <= 65_535) return range;
  throw new MillraceError('OPTION_INVALID', `"${ports}" is neither a port nor a range of ports.`, {
    advice: 'Write 9249 or 9249-9259.',
  });
}
