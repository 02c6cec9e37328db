import type { RecordOf, Stream } from '../../src/index.js';
import {
  aggregator,
  avg,
  col,
  collect,
  count,
  countDistinct,
  first,
  last,
  max,
  min,
  sum,
  tumbling,
  when,
} from '../../src/index.js';
import { assertType, type Same } from './same.js';

interface Flight {
  origin: string;
  delay: number;
  distance: number | null;
  miles: bigint;
  fare: `${number}`;
  at: Date;
  tags: string[];
}
declare const flights: Stream<Flight>;
const keyed = flights.keyBy('origin');

// The result has the key fields, then the aggregates by name.
const totals = keyed.aggregate({
  flights: count(),
  known: count('distance'),
  delay: sum('delay'),
  distance: sum('distance'),
  miles: sum('miles'),
  fare: sum('fare'),
  mean: avg('delay'),
  earliest: min('at'),
  firstTags: first('tags'),
  lastDistance: last('distance'),
  days: countDistinct('at'),
  all: collect('delay'),
});
assertType<
  Same<
    RecordOf<typeof totals>,
    {
      readonly origin: string;
      readonly flights: number;
      readonly known: number;
      readonly delay: number;
      readonly distance: number | null;
      readonly miles: bigint;
      readonly fare: `${number}`;
      readonly mean: number;
      readonly earliest: Date;
      readonly firstTags: string[];
      readonly lastDistance: number | null;
      readonly days: number;
      readonly all: number[];
    }
  >
>();

// A filter may leave nothing, so sums may be null; counts may not.
const filtered = keyed.aggregate({
  late: count().where(col('delay').gt(15)),
  worst: max('delay').where(col('delay').gt(15)),
});
assertType<
  Same<
    RecordOf<typeof filtered>,
    { readonly origin: string; readonly late: number; readonly worst: number | null }
  >
>();

// Expressions are aggregated as the values they give.
const computed = keyed.aggregate({
  hours: sum(col('delay').div(60)),
  longest: max(col('origin').length()),
  lateShare: avg(when(col('delay').gt(15)).then(1).otherwise(0)),
});
assertType<
  Same<
    RecordOf<typeof computed>,
    {
      readonly origin: string;
      readonly hours: number;
      readonly longest: number;
      readonly lateShare: number;
    }
  >
>();
// error: No field 'dealy'; fields: 'at' | 'delay'
keyed.aggregate({ hours: sum(col('dealy').div(60)) });
// error: No field 'dealy'; fields: 'at' | 'delay'
keyed.aggregate({ late: count().where(col('dealy').gt(15)) });
// error: sum needs numbers
keyed.aggregate({ total: sum(col('origin').upper()) });
// error: sum needs numbers, which 'origin' does not hold
keyed.sum('origin');
// error: max needs values that can be ordered, which 'tags' does not hold
keyed.max('tags');
// error: sum needs numbers, which 'origin' does not hold
keyed.window(tumbling('1h')).sum('origin');
// error: No field 'dealy'; fields: 'at' | 'delay'
keyed.min('dealy');
keyed.window(tumbling('1h')).max('origin');

// Results are streams, whose fields are the new ones.
totals.keyBy('flights').count();
// error: No field 'delays'; fields: 'all' | 'days' | 'delay'
totals.keyBy('delays');

// Wrong fields and wrong aggregates.
// error: 'dealy'; fields: 'at' | 'delay' | 'distance' | 'fare' | 'miles' | 'origin' | 'tags'
keyed.aggregate({ flights: count(), worst: max('dealy') });
// error: sum needs numbers, which 'origin' does not hold
keyed.aggregate({ total: sum('origin') });
// error: avg needs numbers
keyed.aggregate({ mean: avg('at') });
// error: max needs values that can be ordered
keyed.aggregate({ most: max('tags') });
// error: 'origin' is a key field; give the aggregate another name
keyed.aggregate({ origin: count() });
// error: not assignable to type 'NamedLater'
keyed.aggregate({ flights: count });
// error: Type '"sometimes"' is not assignable to type
keyed.aggregate({ flights: count() }, { emit: 'sometimes' });

// Shorthands.
const counted = keyed.count();
assertType<Same<RecordOf<typeof counted>, { readonly origin: string; readonly count: number }>>();
const summed = keyed.sum('delay');
assertType<Same<RecordOf<typeof summed>, { readonly origin: string; readonly sum: number }>>();
// error: No field 'dealy'; fields: 'at' | 'delay'
keyed.max('dealy');

// Reduce keeps the record type.
const reduced = keyed.reduce((best, f) => (f.delay > best.delay ? f : best));
assertType<Same<RecordOf<typeof reduced>, Flight>>();
// error: Type 'number' is not assignable to type 'Flight'
keyed.reduce((best, f) => best.delay + f.delay);

// Aggregates of one's own.
const product = aggregator({
  create: () => 1,
  add: (product, f: { delay: number }) => product * f.delay,
  merge: (left, right) => left * right,
  result: (product) => ({ product }),
});
const own = keyed.aggregate({ product });
assertType<
  Same<RecordOf<typeof own>, { readonly origin: string; readonly product: { product: number } }>
>();
const wrong = aggregator({
  create: () => 0,
  add: (total, f: { hours: number }) => total + f.hours,
  result: (total) => total,
});
// error: The aggregator takes records of another type than the stream has
keyed.aggregate({ wrong });
// error: Property 'result' is missing
aggregator({ create: () => 0, add: (total: number, _f: Flight) => total });

// A key function makes the field `key`.
const byLength = flights.keyBy((f) => f.origin.length).aggregate({ flights: count() });
assertType<Same<RecordOf<typeof byLength>, { readonly key: number; readonly flights: number }>>();
