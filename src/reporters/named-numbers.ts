/**
 * The numbers of metrics under names of their own, for systems that know neither labels nor metrics of several numbers.
 * Callers: the reporters of StatsD, Graphite and Ganglia. Runs on: the host's thread; pure.
 */
import { type MetricPoint, numbersOf } from '../metrics/metric-point.js';
import type { ReporterContext } from './reporter.js';

/** Names and numbers of a metric; what is not finite is left out. `clean` makes parts of names fit for the system. */
export function namedNumbers(
  context: ReporterContext | null,
  point: MetricPoint,
  clean: (part: string) => string,
): readonly (readonly [name: string, value: number])[] {
  const name = context?.identifier(point, clean) ?? '';
  return numbersOf(point.value).flatMap(([ending, value]) => {
    if (!Number.isFinite(value)) return [];
    return [[ending === '' ? name : `${name}${context?.delimiter}${ending}`, value] as const];
  });
}
