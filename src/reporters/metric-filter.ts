/**
 * Which metrics a reporter is given, by Flink's patterns: `<scope>[:<name>[,<name>][:<type>[,<type>]]]`, several of
 * them separated by `;`, `*` for anything and `?` for any one character. Callers: `reporting.ts`. Runs on: the caller's
 * thread; pure.
 */
import { MillraceError } from '../base/errors.js';
import { didYouMean } from '../base/nearest-name.js';
import { logicalName, type MetricPoint } from '../metrics/metric-point.js';

/** Whether a metric is reported. */
export type MetricFilter = (point: MetricPoint) => boolean;

const TYPES = ['counter', 'gauge', 'meter', 'histogram'] as const;

/** One that has to be in one of the first and in none of the second. Throws OPTION_INVALID. */
export function metricFilter(includes: string, excludes: string): MetricFilter {
  const wanted = patternsOf(includes);
  const unwanted = patternsOf(excludes);
  return (point) => {
    const words = logicalName(point);
    const scope = words.slice(0, -1).join('.');
    const matches = (pattern: Pattern): boolean =>
      pattern.scope.test(scope) &&
      pattern.names.some((name) => name.test(point.name)) &&
      (pattern.types === null || pattern.types.includes(point.value.type));
    return wanted.some(matches) && !unwanted.some(matches);
  };
}

interface Pattern {
  readonly scope: RegExp;
  readonly names: readonly RegExp[];
  /** Null for all. */
  readonly types: readonly string[] | null;
}

function patternsOf(text: string): readonly Pattern[] {
  return text
    .split(';')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part): Pattern => {
      const [scope = '', names = '*', types = '*', ...more] = part.split(':');
      if (more.length > 0) {
        throw new MillraceError('OPTION_INVALID', `"${part}" is no pattern of metrics.`, {
          advice: 'Write <scope>:<name>,<name>:<type>,<type>.',
        });
      }
      return {
        scope: glob(scope),
        names: names.split(',').map(glob),
        types: types === '*' ? null : types.split(',').map(typeOf),
      };
    });
}

function typeOf(name: string): string {
  const found = TYPES.find((type) => type === name.trim());
  if (found !== undefined) return found;
  throw new MillraceError('OPTION_INVALID', `There is no type of metrics "${name}".`, {
    advice: didYouMean(name, TYPES),
  });
}

function glob(text: string): RegExp {
  const escaped = text.trim().replaceAll(/[\\^$.+()[\]{}|]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`);
}
