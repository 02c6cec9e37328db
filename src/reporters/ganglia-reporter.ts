/**
 * Metrics for Ganglia, as the packets that gmetric of version 3.1 sends: what a metric is, then its value. Callers:
 * `reporters-of.ts`. Runs on: the host's thread.
 */
import { hostname } from 'node:os';
import { Datagrams } from './datagrams.js';
import { namedNumbers } from './named-numbers.js';
import type { MetricReporter, ReporterContext } from './reporter.js';
import type { OptionsOf } from './reporter-options.js';

/** Kinds of packets. */
const METADATA = 128;
const TEXT_VALUE = 133;
/** A value may go up and down. */
const SLOPE_BOTH = 3;

/** The reporter. */
export function gangliaReporter(options: OptionsOf<'ganglia'>): MetricReporter {
  const { host, port, ttl, tmax, dmax } = options;
  const isMulticast = /^2(?:2[4-9]|3\d)\./.test(host);
  const datagrams = new Datagrams(host, port, isMulticast ? ttl : null);
  const self = hostname();
  let context: ReporterContext | null = null;
  return {
    open: (given) => {
      context = given;
      return datagrams.open();
    },
    report: async (points) => {
      for (const point of points) {
        for (const [metric, value] of namedNumbers(context, point, cleaned)) {
          await datagrams.send(metadata(self, metric, tmax, dmax));
          await datagrams.send(textValue(self, metric, String(value)));
        }
      }
    },
    close: () => datagrams.close(),
  };
}

function metadata(host: string, metric: string, tmax: number, dmax: number): Uint8Array {
  return Buffer.concat([
    int(METADATA),
    text(host),
    text(metric),
    // Whether the host is one that is spoofed.
    int(0),
    text('double'),
    text(metric),
    text(''),
    int(SLOPE_BOTH),
    int(tmax),
    int(dmax),
    // One further attribute: the group it is shown in.
    int(1),
    text('GROUP'),
    text('millrace'),
  ]);
}

function textValue(host: string, metric: string, value: string): Uint8Array {
  return Buffer.concat([
    int(TEXT_VALUE),
    text(host),
    text(metric),
    int(0),
    text('%s'),
    text(value),
  ]);
}

/** As XDR has it: big-endian. */
function int(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** As XDR has it: its length, the bytes, and zeros up to a multiple of four. */
function text(value: string): Uint8Array {
  const bytes = Buffer.from(value);
  return Buffer.concat([int(bytes.length), bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}

function cleaned(part: string): string {
  return part.replaceAll(/[^\w.-]/g, '_');
}
