/** Receivers of reports in the test's own process: over HTTP, TCP and UDP; and a context to open reporters with. */
import { createSocket } from 'node:dgram';
import { createServer as createHttp, type IncomingHttpHeaders } from 'node:http';
import { type AddressInfo, createServer as createTcp } from 'node:net';
import { METRIC_SCOPES, type MetricPoint } from '../../../src/metrics/metric-point.js';
import type { MetricReporter, ReporterContext } from '../../../src/reporters/reporter.js';
import { reportersOf } from '../../../src/reporters/reporters-of.js';
import { identifierOf, type ScopeFormats } from '../../../src/reporters/scope-formats.js';
import { POINTS } from './points.js';

export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export const FORMATS = Object.fromEntries(
  METRIC_SCOPES.map((scope) => [scope, `<host>.${scope}.<task_name>.<subtask_index>`]),
) as unknown as ScopeFormats;

const closers: (() => Promise<void> | void)[] = [];

/** Ends all receivers; after each test. */
export async function endReceivers(): Promise<void> {
  await Promise.all(closers.splice(0).map((close) => close()));
}

/** Answers every request with a status, once it is there. */
export async function httpReceiver(status = 200, text = '') {
  const received: Received[] = [];
  const server = createHttp((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      received.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
      response.writeHead(status).end(text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { received, port: (server.address() as AddressInfo).port };
}

/** Takes everything that a connection brings. */
export async function tcpReceiver() {
  const received: string[] = [];
  const server = createTcp((socket) => {
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString()));
    socket.on('end', () => received.push(text));
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => void server.close());
  return { received, port: (server.address() as AddressInfo).port };
}

/** Takes packets. */
export async function udpReceiver() {
  const received: Buffer[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (packet) => received.push(packet));
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  closers.push(() => void socket.close());
  return { received, port: socket.address().port };
}

/** A reporter as configured, open. */
export async function opened(
  options: Readonly<Record<string, unknown>>,
  points: readonly MetricPoint[] = POINTS,
): Promise<MetricReporter> {
  const [setup] = reportersOf({ tested: options });
  if (setup === undefined) throw new Error('There is one.');
  const context: ReporterContext = {
    points: () => points,
    identifier: (point, clean = (part) => part) =>
      identifierOf(point, FORMATS, setup.delimiter, clean),
    delimiter: setup.delimiter,
  };
  await setup.reporter.open?.(context);
  closers.push(async () => {
    await Promise.resolve(setup.reporter.close?.()).catch(() => {});
  });
  return setup.reporter;
}

/** Has a reporter report once. */
export async function report(
  reporter: MetricReporter,
  points: readonly MetricPoint[] = POINTS,
  atMs = 1_700_000_000_123,
): Promise<void> {
  await reporter.report?.(points, { atMs, signal: new AbortController().signal });
}

/** Waits until it is so. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}
