import { describe, expect, it } from 'vitest';
import { openingLines } from '../../../src/cli/opening.js';
import { PLAIN_STYLE } from '../../../src/cli/style.js';
import { type RunEnd, summaryLines } from '../../../src/cli/summary.js';
import { job } from '../../../src/api/job.js';
import { collection } from '../../../src/connector/collection/collection.js';
import { csv } from '../../../src/api/files.js';
import { print } from '../../../src/connector/print/print.js';
import { planJob } from '../../../src/graph/plan.js';
import { vertex } from './metrics-fixtures.js';

const definition = job('sums', (flow) => {
  const rows = flow.from(collection([{ a: 1 }]));
  rows
    .rebalance()
    .map((row) => row)
    .to(csv('out/sums'));
  rows.to(print());
});
const plan = planJob(definition.build(), { parallelism: 2, maxParallelism: null, params: {} });
const writer = plan.vertices.findIndex((one) => one.sinks.some((s) => s.connector.type === 'csv'));
const metrics = {
  elapsedMs: 2000,
  vertices: plan.vertices.map(({ id, name }) =>
    id === writer
      ? vertex({ id, name }, [{ rowsOut: 1_234_567, bytesOut: 3_000_000 }])
      : vertex({ id, name, isSource: id === 0 }, [{ rowsIn: 1_500_000, bytesIn: 40_000_000 }]),
  ),
  edges: [],
  process: null,
};

const summary = (end: RunEnd, width = 100): readonly string[] => {
  const badRecords = [{ reason: 'Not a number.', records: 1500, firstPlace: 'in.csv:3' }];
  return summaryLines({ plan, end, durationMs: 2000, metrics, badRecords }, width, PLAIN_STYLE);
};

describe('the summary', () => {
  it('has totals, average rates, where results are, and bad records by reason', () => {
    expect(summary('finished')).toEqual([
      'sums finished in 2.00 s: 1,500,000 rows, 750 K rows/s, 38.1 MB, 19.1 MB/s',
      'wrote csv out/sums (1,234,567 rows, 2.86 MB)',
      'bad   1,500 × Not a number (first: in.csv:3)',
    ]);
  });

  it('says that nothing was committed when the job did not finish', () => {
    const [head, next] = summary('canceled');
    expect(head).toMatch(/^sums canceled after 2.00 s: 1,500,000 rows/);
    expect(next).toBe('Nothing was committed: what its sinks wrote is thrown away.');
    expect(summary('failed')[0]).toMatch(/^sums failed after/);
  });

  it('fits narrow terminals', () => {
    for (const line of summary('finished', 40).slice(1))
      expect(line.length).toBeLessThanOrEqual(40);
  });
});

describe('the first lines of a run', () => {
  it('are the plan in one line and at most three warnings', () => {
    const [head, ...notes] = openingLines(plan, null, 100, PLAIN_STYLE);
    expect(head).toBe('sums: 2 chains in 2 slots, at-least-once');
    expect(notes).toEqual([]);
    const warned = { ...plan, warnings: ['a', 'b', 'c', 'd', 'e'] };
    expect(openingLines(warned, null, 100, PLAIN_STYLE).slice(1)).toEqual([
      'note: a',
      'note: b',
      'note: c',
      'note: 2 more in `millrace explain`',
    ]);
    expect(openingLines(plan, 'the whole plan', 100, PLAIN_STYLE)).toEqual(['the whole plan', '']);
  });
});
