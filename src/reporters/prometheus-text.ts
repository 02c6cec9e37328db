/**
 * Metrics in the text form that Prometheus takes, under the names that Flink's reporter gives them: counters, gauges
 * and the rates of meters as gauges, histograms as summaries, texts left out. Callers: the server, the reporters of
 * Prometheus and its gateway. Runs on: the caller's thread; pure.
 */
import { logicalName, type MetricPoint, type PointValue } from '../metrics/metric-point.js';

type Labels = Readonly<Record<string, string>>;

/** All samples of one name, which the form wants together. */
interface Family {
  readonly type: 'gauge' | 'summary';
  readonly lines: string[];
}

const QUANTILES = [
  ['0.5', 'p50'],
  ['0.75', 'p75'],
  ['0.95', 'p95'],
  ['0.98', 'p98'],
  ['0.99', 'p99'],
  ['0.999', 'p999'],
] as const;

/** The text. */
export function prometheusText(points: readonly MetricPoint[]): string {
  const families = new Map<string, Family>();
  for (const point of points) addPoint(families, point);
  return [...families]
    .flatMap(([name, { type, lines }]) => [`# TYPE ${name} ${type}`, ...lines])
    .map((line) => `${line}\n`)
    .join('');
}

function addPoint(families: Map<string, Family>, point: MetricPoint): void {
  const { value, variables } = point;
  if (value.type === 'text') return;
  const type = value.type === 'histogram' ? 'summary' : 'gauge';
  const wanted = `flink_${logicalName(point).map(nameOf).join('_')}`;
  // A name has one type; of two metrics that would share it, the later one is called after its own.
  const taken = families.get(wanted);
  const name = taken === undefined || taken.type === type ? wanted : `${wanted}_${type}`;
  const family = families.get(name) ?? { type, lines: [] };
  family.lines.push(...samplesOf(name, variables, value));
  families.set(name, family);
}

function samplesOf(
  name: string,
  labels: Labels,
  value: Exclude<PointValue, { type: 'text' }>,
): readonly string[] {
  if (value.type === 'meter') return [sample(name, labels, value.rate)];
  if (value.type !== 'histogram') return [sample(name, labels, value.value)];
  const statistics = value.value;
  return [
    ...QUANTILES.map(([quantile, key]) =>
      sample(name, { ...labels, quantile }, statistics[key] ?? Number.NaN),
    ),
    sample(`${name}_sum`, labels, statistics.sum),
    sample(`${name}_count`, labels, statistics.count),
  ];
}

function sample(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([key, text]) => `${nameOf(key)}="${escaped(text)}"`);
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${numberText(value)}`;
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
}

/** What stands in a name. */
function nameOf(text: string): string {
  return text.replaceAll(/[^a-zA-Z0-9_]/g, '_');
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
