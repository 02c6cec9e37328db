/**
 * Metrics for StatsD, all as gauges, as Flink sends them. Callers: `reporters-of.ts`. Runs on: the host's thread.
 */
import { Datagrams } from './datagrams.js';
import { namedNumbers } from './named-numbers.js';
import type { MetricReporter, ReporterContext } from './reporter.js';
import type { OptionsOf } from './reporter-options.js';

/** The reporter. */
export function statsdReporter({ host, port }: OptionsOf<'statsd'>): MetricReporter {
  const datagrams = new Datagrams(host, port);
  let context: ReporterContext | null = null;
  return {
    open: (given) => {
      context = given;
      return datagrams.open();
    },
    report: async (points) => {
      const numbers = points.flatMap((point) => namedNumbers(context, point, cleaned));
      await datagrams.sendLines(numbers.flatMap(([name, value]) => gauge(name, value)));
    },
    close: () => datagrams.close(),
  };
}

/** A number with a sign would be added to what was, so that a negative one goes by zero. */
function gauge(name: string, value: number): readonly string[] {
  const line = `${name}:${decimal(value)}|g`;
  return value < 0 ? [`${name}:0|g`, line] : [line];
}

/** Without an exponent, which not every server reads. */
function decimal(value: number): string {
  const text = String(value);
  if (!text.includes('e')) return text;
  return Number.isInteger(value) ? BigInt(value).toString() : value.toFixed(20);
}

/** What means something in a line, or in the server's own names, stands for nothing. */
function cleaned(part: string): string {
  return part.replaceAll(/[:|@\s#/\\]/g, '-');
}
