/** Windows by the clocks of a time zone, through whole jobs, against what the platform says of that zone. */
import { describe, expect, it } from 'vitest';
import {
  collectSink,
  count,
  cumulative,
  type Flow,
  job,
  run,
  type Stream,
  sliding,
  sum,
  tumbling,
  type Windows,
} from '../../src/index.js';

const HOUR = 3_600_000;
const ZONE = 'Europe/Berlin';

interface Reading {
  readonly sensor: string;
  readonly at: number;
  readonly value: number;
}

interface Result {
  readonly sensor?: string;
  readonly windowStart: number;
  readonly windowEnd: number;
  readonly n: number;
  readonly total: number;
}

/** A reading every 30 minutes of some days around a change of the clocks, of two sensors. */
function readings(fromDay: string, days: number): readonly Reading[] {
  const from = Date.parse(`${fromDay}T00:00:00Z`);
  return Array.from({ length: days * 48 }, (_, index) => ({
    sensor: index % 3 === 0 ? 'a' : 'b',
    at: from + index * (HOUR / 2),
    value: index,
  }));
}

function dayOf(at: number, zone = ZONE): string {
  return new Date(at).toLocaleDateString('sv-SE', { timeZone: zone });
}

function clockOf(at: number): string {
  return new Date(at).toLocaleString('sv-SE', { timeZone: ZONE });
}

async function resultsOf(
  rows: readonly Reading[],
  build: (stream: Stream<Reading>) => Stream<unknown>,
  parallelism = 2,
): Promise<readonly Result[]> {
  const seen = collectSink<Result>();
  const definition = job('zoned', (flow: Flow) => {
    const timed = flow.from([...rows]).assignTimestamps('at', { outOfOrderness: '1d' });
    (build(timed.rebalance()) as Stream<Result>).to(seen);
  });
  await run(definition, { parallelism, runtime: 'in-thread' });
  return seen.rows.toSorted((a, b) => a.windowStart - b.windowStart || a.windowEnd - b.windowEnd);
}

const AGGREGATES = { n: count(), total: sum('value') };

/** Rows by day of the zone. */
function daysOf(rows: readonly Reading[], zone = ZONE): ReadonlyMap<string, readonly Reading[]> {
  const days = new Map<string, Reading[]>();
  for (const row of rows) {
    const day = dayOf(row.at, zone);
    days.set(day, [...(days.get(day) ?? []), row]);
  }
  return days;
}

const totalOf = (rows: readonly Reading[]): number =>
  rows.reduce((sum, { value }) => sum + value, 0);

describe('windows of a time zone', () => {
  for (const [season, day, hours] of [
    ['spring', '2026-03-28', 23],
    ['autumn', '2026-10-24', 25],
  ] as const) {
    const rows = readings(day, 4);

    it(`last from midnight to midnight when the clocks are set in ${season}`, async () => {
      const results = await resultsOf(rows, (stream) =>
        stream.windowAll(tumbling('1d', { timeZone: ZONE })).aggregate(AGGREGATES),
      );
      const expected = [...daysOf(rows)].map(([of, own]) => [
        `${of} 00:00:00`,
        own.length,
        totalOf(own),
      ]);
      expect(results.map((one) => [clockOf(one.windowStart), one.n, one.total])).toEqual(expected);
      expect(results.every(({ windowEnd }) => clockOf(windowEnd).endsWith(' 00:00:00'))).toBe(true);
      const lengths = results.map((one) => (one.windowEnd - one.windowStart) / HOUR);
      expect(lengths).toContain(hours);
      expect(lengths.filter((length) => length !== 24)).toHaveLength(1);
    });

    it(`slide by days when the clocks are set in ${season}, by key`, async () => {
      const results = await resultsOf(rows, (stream) =>
        stream
          .keyBy('sensor')
          .window(sliding('2d', '1d', { timeZone: ZONE }))
          .aggregate(AGGREGATES),
      );
      const days = daysOf(rows);
      for (const { sensor, windowStart, windowEnd, n, total } of results) {
        const own = [...new Set([dayOf(windowStart), dayOf(windowEnd - 1)])]
          .flatMap((of) => days.get(of) ?? [])
          .filter((row) => row.sensor === sensor);
        expect([n, total]).toEqual([own.length, totalOf(own)]);
        expect(clockOf(windowStart)).toContain(' 00:00:00');
      }
      expect(results.reduce((all, { n }) => all + n, 0)).toBe(2 * rows.length);
    });

    it(`give the day so far when the clocks are set in ${season}`, async () => {
      const results = await resultsOf(rows, (stream) =>
        stream.windowAll(cumulative('1d', '6h', { timeZone: ZONE })).aggregate(AGGREGATES),
      );
      for (const { windowStart, windowEnd, n, total } of results) {
        const own = rows.filter(({ at }) => at >= windowStart && at < windowEnd);
        expect([n, total]).toEqual([own.length, totalOf(own)]);
        expect(clockOf(windowStart)).toContain(' 00:00:00');
        expect(clockOf(windowEnd)).toMatch(/ (00|06|12|18):00:00$/);
      }
      const whole = results.filter(({ windowEnd }) => clockOf(windowEnd).includes(' 00:00:00'));
      expect(whole.reduce((all, { n }) => all + n, 0)).toBe(rows.length);
    });

    it(`divide an hour that is shown twice or not at all in ${season}`, async () => {
      const build = (windows: Windows<Reading>) => (stream: Stream<Reading>) =>
        stream.windowAll(windows as never).aggregate(AGGREGATES);
      const results = await resultsOf(rows, build(tumbling('1h', { timeZone: ZONE })));
      expect(results.reduce((all, { n }) => all + n, 0)).toBe(rows.length);
      for (const [at, { windowStart }] of results.entries()) {
        if (at > 0) expect(windowStart).toBe(results[at - 1]?.windowEnd);
      }
      const lengths = results.map((one) => (one.windowEnd - one.windowStart) / HOUR);
      expect(lengths.filter((length) => length === 2)).toHaveLength(season === 'autumn' ? 1 : 0);
    });
  }

  it('are the same whether they are compiled or not, in a zone whose days have no midnight', async () => {
    const rows = readings('2024-04-24', 4);
    const zone = 'Africa/Cairo';
    const windows = tumbling('1d', { timeZone: zone });
    const compiled = await resultsOf(rows, (stream) =>
      stream.windowAll(windows).aggregate(AGGREGATES),
    );
    const general = await resultsOf(rows, (stream) =>
      stream.windowAll(windows).process<Result>((all, { window, collect }) => {
        const total = totalOf(all);
        collect({ windowStart: window.start, windowEnd: window.end, n: all.length, total });
      }),
    );
    expect(general).toEqual(compiled);
    expect(compiled.map(({ n }) => n)).toEqual(
      [...daysOf(rows, zone).values()].map((own) => own.length),
    );
    expect(compiled.map((one) => (one.windowEnd - one.windowStart) / HOUR)).toContain(23);
  });

  it('refuse a zone that nobody knows, with the nearest name', () => {
    expect(() => tumbling('1d', { timeZone: 'Europe/Berln' })).toThrow(
      expect.objectContaining({
        code: 'OPTION_INVALID',
        advice: expect.stringContaining('Europe/Berlin'),
      }),
    );
  });

  it('refuse a step that does not divide the size', () => {
    expect(() => cumulative('1d', '7h')).toThrow(/no whole number of steps/);
  });
});
