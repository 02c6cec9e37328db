import { describe, expect, it } from 'vitest';
import type { MetricPoint } from '../../../src/metrics/metric-point.js';
import { prometheusText } from '../../../src/reporters/prometheus-text.js';
import { POINTS } from './points.js';

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The published form, version 0.0.4: names and types first, then samples with escaped labels. */
function parsed(text: string) {
  const types = new Map<string, string>();
  const samples: Sample[] = [];
  for (const line of text.trimEnd().split('\n')) {
    const type = /^# TYPE ([a-zA-Z_:][\w:]*) (gauge|summary)$/.exec(line);
    if (type !== null) {
      const [, name = '', kind = ''] = type;
      if (types.has(name)) throw new Error(`${name} has two types.`);
      types.set(name, kind);
      continue;
    }
    const sample = /^([a-zA-Z_:][\w:]*)\{(.*)\} (\S+)$/.exec(line);
    if (sample === null) throw new Error(`This is no sample: ${line}`);
    const [, name = '', inside = '', value = ''] = sample;
    const labels: Record<string, string> = {};
    const whole = inside.replaceAll(
      /([a-zA-Z_]\w*)="((?:[^"\\]|\\["\\n])*)"(?:,|$)/g,
      (_, label: string, escaped: string) => {
        labels[label] = escaped.replaceAll(/\\(.)/g, (_all, one) => (one === 'n' ? '\n' : one));
        return '';
      },
    );
    if (whole !== '') throw new Error(`These are no labels: ${whole}`);
    samples.push({ name, labels, value: Number(value) });
  }
  return { types, samples };
}

describe('the text for Prometheus', () => {
  it('has every number under the names of Flink, with whole labels', () => {
    const { types, samples } = parsed(prometheusText(POINTS));
    const latency = 'flink_taskmanager_job_task_operator_my_group_country_latency';
    expect([...types]).toEqual([
      ['flink_taskmanager_job_task_numRecordsIn', 'gauge'],
      ['flink_taskmanager_job_task_negative', 'gauge'],
      ['flink_taskmanager_job_task_numRecordsInPerSecond', 'gauge'],
      [latency, 'summary'],
    ]);
    const values = samples.map(({ name, labels, value }) => [
      name.replace('flink_taskmanager_job_task_', ''),
      labels['quantile'] ?? '',
      value,
    ]);
    const short = latency.replace('flink_taskmanager_job_task_', '');
    expect(values).toEqual([
      ['numRecordsIn', '', 1234],
      ['negative', '', -2.5],
      ['numRecordsInPerSecond', '', 61.5],
      [short, '0.5', 2],
      [short, '0.75', 3],
      [short, '0.95', 4],
      [short, '0.98', 4],
      [short, '0.99', 4],
      [short, '0.999', 4],
      [`${short}_sum`, '', 10],
      [`${short}_count`, '', 4],
    ]);
    for (const [index, { labels }] of samples.slice(0, 3).entries()) {
      expect(labels).toEqual(POINTS[index]?.variables);
    }
    expect(samples.at(-1)?.labels).toEqual(POINTS[4]?.variables);
  });

  it('gives two metrics of one name and different types two names', () => {
    const [counter] = POINTS;
    const histogram = POINTS[4];
    if (counter === undefined || histogram === undefined) throw new Error('There are five.');
    const same: MetricPoint = { ...counter, value: histogram.value };
    const { types } = parsed(prometheusText([counter, same]));
    expect([...types.values()]).toEqual(['gauge', 'summary']);
  });
});
