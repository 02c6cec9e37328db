/** The dashboard for Grafana asks for nothing that is not exported, and every expression is one of Prometheus. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { MetricPoint, PointValue } from '../../src/metrics/metric-point.js';
import { prometheusText } from '../../src/reporters/prometheus-text.js';
import { pointsOf } from '../../src/runtime/measured-job.js';
import {
  JOB_METRICS,
  type MetricDefinition,
  PROCESS_METRICS,
  SERVER_METRICS,
  TASK_METRICS,
} from '../../src/runtime/metric-definitions.js';
import { root } from './pages.js';

interface Panel {
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly w: number };
  readonly targets?: readonly { readonly expr: string }[];
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly definition?: string }[] };
}

const text = readFileSync(join(root, 'docs', 'grafana-dashboard.json'), 'utf8');
const { panels, templating }: Dashboard = JSON.parse(text);
const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
const queries = templating.list.flatMap(({ definition }) => definition ?? []);

/** Every metric of a table with some value of its type. */
function exported(
  scope: MetricPoint['scope'],
  table: Readonly<Record<string, MetricDefinition<never>>>,
): readonly MetricPoint[] {
  const metrics = Object.entries(table).map(([name, { type }]): readonly [string, PointValue] => {
    if (type === 'meter') return [name, { type, count: 1, rate: 1 }];
    return [name, type === 'text' ? { type, value: '' } : { type: 'gauge', value: 1 }];
  });
  return pointsOf(scope, {}, metrics);
}

describe('the dashboard for Grafana', () => {
  it('asks only for metrics that are exported', () => {
    const exposition = prometheusText([
      ...exported('jm', SERVER_METRICS),
      ...exported('jm', PROCESS_METRICS),
      ...exported('jmJob', JOB_METRICS),
      ...exported('tm', PROCESS_METRICS),
      ...exported('task', TASK_METRICS),
    ]);
    const names: readonly string[] = exposition.match(/^flink_\w+/gm) ?? [];
    const asked = [...expressions, ...queries].flatMap((one) => one.match(/flink_\w+/g) ?? []);
    expect(expressions.length).toBeGreaterThan(20);
    expect(new Set(asked).size).toBeGreaterThan(20);
    expect(asked.filter((name) => !names.includes(name))).toEqual([]);
  });

  it('names only labels that metrics of the engine have', () => {
    const labels = [...expressions, ...queries].flatMap((one) =>
      [...one.matchAll(/(\w+)=~|by \(([^)]*)\)/g)].flatMap(([, label, list]) =>
        label === undefined ? (list ?? '').split(', ') : [label],
      ),
    );
    expect(new Set(labels)).toEqual(new Set(['job_name', 'task_name']));
  });

  it('has panels side by side, with closed brackets', () => {
    for (const { gridPos } of panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
    for (const one of expressions) {
      const depth = [...one].reduce((open, sign) => {
        if (sign === '(' || sign === '{') return open + 1;
        return sign === ')' || sign === '}' ? open - 1 : open;
      }, 0);
      expect(depth, one).toBe(0);
    }
  });
});
