import { describe, expect, it } from 'vitest';
import { avg, count, max, sum } from '../../../src/api/aggregates.js';
import { csv, ndjson, text } from '../../../src/api/files.js';
import type { Flow } from '../../../src/api/flow.js';
import { explainText } from '../../../src/graph/explain-text.js';
import { col } from '../../../src/operator/expression-builder.js';
import { planOf, sink, source } from './graph-fixtures.js';

/** The text of a job with lines and fingerprint, which change with this file, left out. */
const textOf = (build: (flow: Flow) => void, parallelism = 4): string =>
  explainText(planOf(build, { parallelism }))
    .replace(/\(explain-text\.test\.ts:\d+\)/g, '(here)')
    .replace(/^(plan +)[0-9a-f]{16}$/m, '$1…');

const trimmed = (golden: string): string => golden.replace(/^\n|\n$/g, '');

describe('explain', () => {
  it('tells a keyed job: what is read, done, carried, where, and why chains break', () => {
    const text = textOf((flow) => {
      flow
        .from(source({ name: 'csv flights.csv' }))
        .filter(col('distance').gt(100))
        .keyBy('origin')
        .aggregate(
          { flights: count(), worst: max('delay'), hours: avg(col('delay').div(60)) },
          { uid: 'delays' },
        )
        .to(sink({ name: 'parquet out', guarantee: 'exactly-once' }));
    });
    expect(text).toBe(
      trimmed(`
job          test-job: 2 vertices in 4 slots
guarantee    exactly-once
plan         …

[0] csv flights.csv -> filter -> partial aggregate
    runs         4 subtasks in slots 0-3
    source       csv flights.csv, exactly-once  (here)
    reads        columns delay, distance, origin
    1 where      distance > 100  (here)
    2 aggregate  by origin: partial flights = count(), worst = max(delay), hours = avg(delay / 60),
                 pre-aggregates before the exchange  (here)
    to [1]       hash of origin; carries columns origin and 4 accumulators
                 Records are dealt by hash of origin, not forwarded.

[1] aggregate -> parquet out
    runs         4 subtasks in slots 0-3
    1 aggregate  by origin: merged flights = count(), worst = max(delay), hours = avg(delay / 60),
                 once per key  (here)
    sink         parquet out, exactly-once  (here)
`),
    );
  });

  it('tells trees, groups, the caller’s thread, weak guarantees and warnings', () => {
    const text = textOf((flow) => {
      const flights = flow
        .from(source({ name: 'array', host: true, bounded: false, guarantee: 'at-most-once' }))
        .map((f) => f.origin, { slotSharingGroup: 'parse' });
      flights.to(sink({ name: 'one' }));
      flights.filter((origin) => origin !== 'ATL').to(sink({ name: 'two' }));
      flights
        .keyBy((origin) => origin.length)
        .reduce((left) => left)
        .to(sink({ name: 'three', host: true }));
      flights.map((origin) => origin.length);
    }, 2);
    expect(text).toBe(
      trimmed(`
job          test-job: 4 vertices in 2 slots
guarantee    at-most-once, limited by array
plan         …

[0] array
    runs         1 subtask on the caller's thread
    source       array, at-most-once  (here)
    reads        columns origin
    to [1]       rebalance; carries columns origin
                 The parallelism changes from 1 to 2.

[1] map -> one -> filter -> two -> keyBy
    runs              2 subtasks in slots 0-1, slot-sharing group parse
    1 map <- input    (f) => f.origin  (here)
    2 filter <- 1     (origin) => origin !== "ATL"  (here)
    3 computeKey <- 1 key = (origin) => origin.length  (here)
    sink <- 1         one, at-least-once  (here)
    sink <- 2         two, at-least-once  (here)
    to [2] <- 3       hash of the computed key; carries all columns
                      Records are dealt by hash of the computed key, not forwarded.

[2] reduce
    runs         2 subtasks in slots 0-1, slot-sharing group parse
    1 reduce     by the computed key: (left) => left, on every update  (here)
    to [3]       rebalance; carries all columns
                 The parallelism changes from 2 to 1.

[3] three
    runs         1 subtask on the caller's thread
    sink         three, at-least-once  (here)

warning      "map" (here) leads to no sink,
             so it does not run. Add .to(...) or remove it.
warning      "reduce" (here) keeps state under the derived uid "reduce-f5f051a4",
             which changes with the job's structure. Give it a uid of its own.
`),
    );
  });

  it('tells when only the number of records crosses an edge', () => {
    const text = textOf((flow) => {
      flow
        .from(source())
        .rebalance()
        .map(() => 1)
        .to(sink());
    });
    expect(text).toContain('reads        no columns, only the number of records');
    expect(text).toContain('rebalance; carries no columns, only the number of records');
  });

  it('tells how much of each row a source of files checks, where there is a choice', () => {
    const checksOf = (from: Parameters<Flow['from']>[0]): string | undefined =>
      /^ +checks +(.*)$/m.exec(textOf((flow) => flow.from(from).to(sink())))?.[1];

    expect(checksOf(csv('a.csv'))).toBe(
      'the framing of rows and the fields that are read (validate: projected)',
    );
    expect(checksOf(ndjson('a', { validate: 'full' }))).toBe(
      'every field of each row (validate: full)',
    );
    expect(checksOf(text('a.txt'))).toBeUndefined();
    expect(checksOf(source())).toBeUndefined();
  });

  it('fits 100 columns, whatever the names', () => {
    const long = 'a-very-long-name-of-a-thing-'.repeat(8);
    const text = textOf((flow) => {
      const keyed = flow.from(source({ name: `${long} ${long}` })).keyBy('origin', 'date');
      const many = Object.fromEntries(
        Array.from({ length: 30 }, (_, index) => [`total_${index}`, sum('delay')]),
      );
      keyed.aggregate(many, { name: long }).to(sink({ name: long }), { uid: 'x' });
    });
    const widest = Math.max(...text.split('\n').map((line) => line.length));

    expect(widest).toBeLessThanOrEqual(100);
    expect(text.replace(/\s/g, '')).toContain(`total_29=sum(delay)`);
    expect(text.replace(/\s/g, '')).toContain(long);
  });
});
