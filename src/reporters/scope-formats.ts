/**
 * Names of metrics for systems without labels, by Flink's formats: `<host>.taskmanager.<tm_id>` and so on, where a word
 * in angle brackets is a variable. Callers: `reporting.ts`. Runs on: the caller's thread; pure.
 */
import type { MetricPoint, MetricScopeName } from '../metrics/metric-point.js';

/** A format for each scope. */
export type ScopeFormats = Readonly<Record<MetricScopeName, string>>;

/**
 * The whole name of a metric. Formats are written with dots, whatever the delimiter. The delimiter within a value, such
 * as a dot in the name of a host, is written as `_`, so that it makes no part of its own.
 */
export function identifierOf(
  { scope, groups, name, variables }: MetricPoint,
  formats: ScopeFormats,
  delimiter: string,
  clean: (part: string) => string,
): string {
  const part = (text: string): string => clean(text.replaceAll(delimiter, '_'));
  const scopeParts = formats[scope]
    .split('.')
    .map((word) => word.replaceAll(/<(\w+)>/g, (all, key: string) => variables[key] ?? all));
  const groupParts = groups.flatMap((group) =>
    group.value === null ? [group.name] : [group.name, group.value],
  );
  return [...scopeParts, ...groupParts, name].map(part).join(delimiter);
}
