import { describe, expect, it } from 'vitest';
import { reportHtml } from '../../../bench/lib/report-html.mjs';
import { caseText } from '../../../bench/lib/print-case.mjs';
import { recordOf } from '../../../bench/lib/results.mjs';

const flat = (value: number) => ({ min: value, median: value, max: value });

function contender(name: string, rate: number, measures: Record<string, number> = {}) {
  return {
    name,
    title: `${name} <as it is>`,
    records: 1000,
    recordsPerSecond: flat(rate),
    bytesPerSecond: null,
    elapsedMs: flat(1_000_000 / rate),
    cpuSeconds: 0.5,
    peakRssBytes: 1024,
    measures: Object.fromEntries(
      Object.entries(measures).map(([key, value]) => [key, flat(value)]),
    ),
    runs: [],
  };
}

const machine = {
  processor: 'P',
  cores: 2,
  memoryGib: 1,
  system: 'S',
  node: 'v20',
  v8: '1',
  millrace: '0',
  commit: null,
  load: 0,
};
const run = { command: 'npm run bench', seed: 1, machine };

function rated(must: object[]) {
  const entries = ['millrace', 'limit', 'rxjs', 'node'].map((name) => ({
    name,
    title: name,
    module: '',
    isReference: name === 'node',
  }));
  const benchCase = {
    name: 'c',
    title: 't',
    rows: { full: 1, quick: 1 },
    contenders: entries,
    must,
  };
  const contenders = [
    contender('millrace', 700),
    contender('limit', 1000),
    contender('rxjs', 70),
    contender('node', 1),
  ];
  return { benchCase, contenders };
}

describe('recordOf', () => {
  it('compares with the limit and with rivals, above 1 when Millrace is faster', () => {
    const record = recordOf(rated([]), run);
    expect(record.ratioToLimit).toBeCloseTo(0.7);
    expect(record.ratios.rxjs).toBeCloseTo(10);
    expect(record.recordsPerSecond).toBe(700);
  });

  it('leaves references out of the ratios', () => {
    expect(Object.keys(recordOf(rated([]), run).ratios)).toEqual(['rxjs']);
  });

  it('tells reached, missed and stated musts apart', () => {
    const must = [
      { over: 'limit', atLeast: 0.7, aim: 0.9 },
      { atLeast: 701 },
      { over: 'rxjs', aim: 5 },
    ];
    const record = recordOf(rated(must), run);
    expect(record.must.map(({ reached }) => reached)).toEqual([true, false, null]);
    expect(record.must.map(({ aimReached }) => aimReached)).toEqual([false, null, true]);
    expect(record.reached).toBe(false);
    expect(recordOf(rated(must.toSpliced(1, 1)), run).reached).toBe(true);
  });

  it('knows measures of which less is better', () => {
    const { benchCase } = rated([
      { measure: 'micros', atMost: 10 },
      { measure: 'micros', over: 'rxjs', atLeast: 2 },
    ]);
    const measures = [{ name: 'micros', unit: 'us', title: 'trip', better: 'less' as const }];
    const contenders = [
      contender('millrace', 1, { micros: 10 }),
      contender('limit', 1, { micros: 5 }),
      contender('rxjs', 1, { micros: 20 }),
    ];
    const entries = benchCase.contenders.filter(({ name }) => name !== 'node');
    const measuring = { ...benchCase, contenders: entries, measures, shows: 'measures' as const };
    const record = recordOf({ benchCase: measuring, contenders }, run);
    expect(record.ratioToLimit).toBe(0.5);
    expect(record.ratios.rxjs).toBe(2);
    expect(record.must.map(({ reached }) => reached)).toEqual([true, true]);
  });
});

describe('what is shown', () => {
  const { benchCase, contenders } = rated([{ over: 'limit', atLeast: 0.8 }]);
  const record = recordOf({ benchCase, contenders }, run);

  it('prints losses as losses', () => {
    const text = caseText(record, benchCase);
    expect(text).toContain('MISSED');
    expect(text).toContain('0.700');
  });

  it('writes a page that needs nothing from outside and escapes what it shows', () => {
    const html = reportHtml([{ record, benchCase }], new Date(0));
    expect(html).toContain('millrace &lt;as it is&gt;');
    expect(html).not.toMatch(/<as it is>|src=|href=|https?:/);
    expect(html.match(/<rect/g)).toHaveLength(4);
    expect(html).toContain('class="missed"');
  });
});
