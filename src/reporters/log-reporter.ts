/**
 * Metrics as lines of text, in the manner of Flink's reporter for logs: into a file, or to standard error. Callers:
 * `reporters-of.ts`. Runs on: the host's thread.
 */
import { appendFile } from 'node:fs/promises';
import type { MetricPoint } from '../metrics/metric-point.js';
import { numbersOf } from '../metrics/metric-point.js';
import type { MetricReporter, ReporterContext } from './reporter.js';
import type { OptionsOf } from './reporter-options.js';

const PARTS = [
  ['Counters', 'counter'],
  ['Gauges', 'gauge'],
  ['Meters', 'meter'],
  ['Histograms', 'histogram'],
] as const;

/** The reporter. */
export function logReporter({ file }: OptionsOf<'log'>): MetricReporter {
  let context: ReporterContext | null = null;
  const lineOf = (point: MetricPoint): string => {
    const name = context?.identifier(point) ?? '';
    const numbers = numbersOf(point.value);
    const shown = numbers.map(([ending, value]) => (ending === '' ? value : `${ending}=${value}`));
    return `${name}: ${shown.join(', ')}`;
  };
  return {
    open: (given) => {
      context = given;
    },
    report: async (points, { atMs }) => {
      const lines = [`${new Date(atMs).toISOString()} ===== metrics report =====`];
      for (const [title, type] of PARTS) {
        const ofType = points.filter(({ value }) => value.type === type);
        if (ofType.length === 0) continue;
        lines.push(`-- ${title} --`, ...ofType.map(lineOf));
      }
      const text = `${lines.join('\n')}\n`;
      if (file === '') process.stderr.write(text);
      else await appendFile(file, text);
    },
  };
}
