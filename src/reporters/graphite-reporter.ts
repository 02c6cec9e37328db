/**
 * Metrics for Graphite in its plain text form, by TCP or UDP. Callers: `reporters-of.ts`. Runs on: the host's thread.
 */
import { connect } from 'node:net';
import { Datagrams } from './datagrams.js';
import { namedNumbers } from './named-numbers.js';
import type { MetricReporter, ReporterContext } from './reporter.js';
import type { OptionsOf } from './reporter-options.js';

/** The reporter. */
export function graphiteReporter({ host, port, protocol }: OptionsOf<'graphite'>): MetricReporter {
  const datagrams = protocol === 'UDP' ? new Datagrams(host, port) : null;
  let context: ReporterContext | null = null;
  return {
    open: (given) => {
      context = given;
      return datagrams?.open();
    },
    report: async (points, { atMs, signal }) => {
      const second = Math.floor(atMs / 1000);
      const numbers = points.flatMap((point) => namedNumbers(context, point, cleaned));
      const lines = numbers.map(([path, value]) => `${path} ${value} ${second}`);
      if (datagrams !== null) await datagrams.sendLines(lines);
      else await sendStream(host, port, lines.map((line) => `${line}\n`).join(''), signal);
    },
    close: () => datagrams?.close(),
  };
}

/** A connection for each report: one that is held would not tell that the other end has gone. */
function sendStream(host: string, port: number, text: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, signal });
    socket.once('error', reject);
    socket.once('close', (hadError) => {
      if (!hadError) resolve();
    });
    socket.end(text);
    // Whatever it answers is of no interest, but has to be read for the connection to end.
    socket.resume();
  });
}

/** As Flink does it. */
function cleaned(part: string): string {
  return part
    .replaceAll('"', '')
    .replaceAll(/[\s/\\]/g, '_')
    .replaceAll(/[,=;:?'*()[\]{}]/g, '-');
}
