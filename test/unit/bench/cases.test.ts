import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { allCases, measureOf } from '../../../bench/lib/bench-case.mjs';

const cases = await allCases();

describe('cases', () => {
  it('are those that the project promises, in order', () => {
    expect(cases.map(({ name }) => name)).toEqual([
      'chain-expr',
      'chain-lambda',
      'exchange',
      'observed',
      'ring',
      'ndjson-groupby',
      'csv-groupby',
      'parquet-groupby',
      'wordcount',
      'startup',
      'scaling',
      'garbage',
      'checkpoints',
      'cold-sessions',
      'cold-sliding',
      'cold-state',
      'keyed-sum-disk',
      'keyed-sum-million',
      'keyed-sum-thousand',
      'process-timers',
      'rescale',
      'sliding',
      'slow-function',
      'spill-groupby',
      'tumbling',
      'window-fire',
    ]);
  });

  it.each(cases)('$name names contenders and measures that exist', (benchCase) => {
    const names = benchCase.contenders.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toContain('millrace');
    for (const { module } of benchCase.contenders) {
      expect(existsSync(new URL(`../../../bench/${module}`, import.meta.url)), module).toBe(true);
    }
    for (const { contender = 'millrace', over = 'millrace', measure } of benchCase.must) {
      expect(names).toContain(contender);
      expect(names).toContain(over);
      if (measure !== undefined) expect(measureOf(benchCase, measure).name).toBe(measure);
    }
  });
});
