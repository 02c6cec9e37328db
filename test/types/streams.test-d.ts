import type { Flow, KeyedStream, RecordOf, SinkConnector, Stream } from '../../src/index.js';
import {
  col,
  columns,
  count,
  csv,
  ingestionTime,
  job,
  lit,
  max,
  ndjson,
  outputTag,
  parquet,
  sliding,
  tumbling,
  when,
} from '../../src/index.js';
import { assertType, type Same } from './same.js';

interface Flight {
  origin: string;
  delay: number;
  distance: number | null;
  miles: bigint;
  price?: number;
  at: Date;
  tags: string[];
}
declare const flow: Flow;
declare const flights: Stream<Flight>;

// Sources give the type of their records.
const fromArray = flow.from([{ word: 'a', size: 1 }]);
assertType<Same<RecordOf<typeof fromArray>, { word: string; size: number }>>();
const fromGenerator = flow.from(
  (function* () {
    yield 1;
  })(),
);
assertType<Same<RecordOf<typeof fromGenerator>, number>>();
// error: not assignable to parameter of type 'SourceInput
flow.from(42);

// Functions give the type of what they return.
const mapped = flights.map((f) => ({ from: f.origin, late: f.delay > 15 }));
assertType<Same<RecordOf<typeof mapped>, { from: string; late: boolean }>>();
const flat = flights.flatMap((f) => f.tags);
assertType<Same<RecordOf<typeof flat>, string>>();
const narrowed = flights
  .map((f) => f.distance)
  .filter((distance): distance is number => distance !== null);
assertType<Same<RecordOf<typeof narrowed>, number>>();
// error: Property 'dealy' does not exist on type 'Flight'
flights.map((f) => f.dealy);
// error: Type 'number' is not assignable to type 'boolean'
flights.filter((f) => f.delay);
// error: not assignable to type 'Iterable
flights.flatMap((f) => f.delay);

// Sorting changes no types.
const sorted = flights.sortBy('delay', { descending: true }).sortBy(col('at'));
assertType<Same<RecordOf<typeof sorted>, Flight>>();
const sortedByKey = flights.keyBy('origin').sortBy({ delay: 'desc', at: 'asc' });
assertType<Same<RecordOf<typeof sortedByKey>, Flight>>();
// error: No field 'dealy'
flights.sortBy('dealy');
// error: No field 'dealy'
flights.sortBy(col('dealy').neg());
// error: No field 'dealy'
flights.sortBy({ dealy: 'asc' });

// Lists.
const tagged = flights.explode('tags');
assertType<Same<RecordOf<typeof tagged>['tags'], string>>();
assertType<Same<RecordOf<typeof tagged>['distance'], number | null>>();
const parts = flights.explode({ part: col('origin').split('-') });
assertType<Same<RecordOf<typeof parts>['part'], string>>();
assertType<Same<RecordOf<typeof parts>['tags'], string[]>>();
const outer = flights.explode({ part: col('origin').words() }, { outer: true });
assertType<Same<RecordOf<typeof outer>['part'], string | null>>();
declare const texts: Stream<string>;
const counted = texts
  .explode({ word: col('value').split(' ') })
  .keyBy('word')
  .count();
assertType<Same<RecordOf<typeof counted>, { readonly word: string; readonly count: number }>>();
// error: No field 'tgas'
flights.explode('tgas');
// error: Explode a list
flights.explode('delay');
// error: Explode a list
flights.explode({ part: col('origin') });
// error: No field 'orgin'
flights.explode({ part: col('orgin').split('-') });

// Selections.
const picked = flights.select('origin', 'distance');
assertType<
  Same<RecordOf<typeof picked>, { readonly origin: string; readonly distance: number | null }>
>();
const renamed = flights.select({ from: 'origin', minutes: 'delay' });
assertType<Same<RecordOf<typeof renamed>, { readonly from: string; readonly minutes: number }>>();
const projected = flights.project('miles');
assertType<Same<RecordOf<typeof projected>, { readonly miles: bigint }>>();
const computed = flights.select({
  origin: 'origin',
  hours: col('delay').div(60),
  far: col('distance').gt(100),
  size: col('origin').length(),
  kind: when(col('delay').gt(15)).then('late').otherwise('on time'),
  one: lit(1),
});
assertType<
  Same<
    RecordOf<typeof computed>,
    {
      readonly origin: string;
      readonly hours: number;
      readonly far: boolean | null;
      readonly size: number;
      readonly kind: string;
      readonly one: 1;
    }
  >
>();
const aliased = flights.select('origin', col('price').mul(2).as('double'));
assertType<
  Same<RecordOf<typeof aliased>, { readonly origin: string; readonly double: number | null }>
>();
// error: No field 'dealy'; fields: 'at' | 'delay'
flights.select({ hours: col('dealy').div(60) });
// error: No field 'dealy'; fields: 'at' | 'delay'
flights.select('origin', col('dealy').as('d'));

const widened = aliased.withColumn('half', col('double').div(2)).withColumn('origin', lit(1));
assertType<
  Same<
    RecordOf<typeof widened>,
    { readonly double: number | null; readonly half: number | null; readonly origin: 1 }
  >
>();
// error: No field 'dealy'; fields: 'at' | 'delay'
flights.withColumn('x', col('dealy').div(2));
// error: No field 'dealy'; fields: 'at' | 'delay'
flights.withColumn('x', 'dealy');

// Expressions as conditions.
flights.filter(col('delay').gt(15).and(col('origin').eq('ATL')));
flights.filter(col('delay').gt(col('distance')), { uid: 'late' });
// error: No field 'dealy'; fields: 'at' | 'delay'
flights.filter(col('dealy').gt(15));
// error: No field 'dest'; fields: 'at' | 'delay'
flights.filter(col('delay').gt(15).and(col('dest').eq('ATL')));
// error: A condition is true, false or null; compare the value
flights.filter(col('delay'));
// error: A condition is true, false or null; compare the value
flights.filter(col('delay').round(1));

// error: 'dealy'; fields: 'at' | 'delay' | 'distance' | 'miles' | 'origin' | 'price' | 'tags'
flights.project('dealy');
// error: No field 'orgin'; fields: 'at' | 'delay'
flights.select('orgin');
// error: No field 'destination'; fields: 'at' | 'delay'
flights.select({ to: 'destination' });
// error: No field 'distance'; fields: 'from' | 'minutes'
renamed.project('distance');

// Keys.
const byOrigin = flights.keyBy('origin', 'at');
assertType<
  Same<typeof byOrigin, KeyedStream<Flight, { readonly origin: string; readonly at: Date }>>
>();
const byFunction = flights.keyBy((f) => f.origin.length);
assertType<Same<typeof byFunction, KeyedStream<Flight, { readonly key: number }>>>();
// error: No field 'orign'; fields: 'at' | 'delay'
flights.keyBy('orign');
// error: No field 'dealy'; fields: 'at' | 'delay'
flights.keyBy('origin', 'dealy');
// error: Field 'tags' cannot be a key
flights.keyBy('tags');
// error: Mistake<"A key function returns text, a number, a boolean, a date or bytes">
flights.keyBy((f) => f.tags).count();
// error: No field 'orign'; fields: 'at' | 'delay'
flights.distinct('orign');
// error: Field 'tags' cannot be a key
flights.distinct('tags');
declare const computedName: string;
// error: Type 'string' is not assignable to type 'keyof Flight'
flights.keyBy(computedName);

// Nullable and missing key fields give keys without null, which are refused at run time.
const nullableKey = flights.keyBy('distance', 'price');
assertType<
  Same<
    typeof nullableKey,
    KeyedStream<Flight, { readonly distance: number; readonly price: number }>
  >
>();

// Scalars and tuples have fields too.
declare const words: Stream<string>;
words.keyBy('value');
// error: No field 'word'; fields: 'value'
words.keyBy('word');
declare const pairs: Stream<[string, number]>;
pairs.keyBy('0');
// error: No field '2'; fields: '0' | '1'
pairs.keyBy('2');

// Records of unknown type take any field.
declare const anything: Stream<unknown>;
anything.keyBy('whatever').count();
declare const rows: Stream<Record<string, string>>;
rows.keyBy('whatever');

// Unions know all fields of all their records.
const union = flights.union(mapped, words);
assertType<Same<RecordOf<typeof union>, Flight | { from: string; late: boolean } | string>>();

// Sinks say what they take.
declare const numbersOnly: SinkConnector<number>;
// error: The sink takes records of another type than the stream has
flights.to(numbersOnly);
narrowed.to(numbersOnly);

// Files whose records nobody described take those of an interface, values and tuples.
interface Named {
  readonly name: string;
}
declare const named: Stream<Named>;
named.to(ndjson('out'));
named.to(csv('out'));
flights.to(csv('out', { bucketBy: ['origin', 'delay'] }));
flights.to(csv<Flight>('out', { bucketBy: 'origin' }));
flights.to(csv('out', { bucketBy: (flight: Flight) => flight.origin.slice(0, 1) }));
flights.to(ndjson<Flight>('out', { bucketBy: ({ at }, { timestamp }) => `${at} ${timestamp}` }));
// error: Type '"orgin"' is not assignable
flights.to(csv<Flight>('out', { bucketBy: 'orgin' }));
named.to(parquet('out'));
words.to(ndjson('out'));

// Options.
// error: 'paralellism' does not exist in type
flights.map((f) => f, { paralellism: 4 });
// error: Type '"sometimes"' is not assignable to type
flights.map((f) => f, { chain: 'sometimes' });
// error: 'emit' does not exist in type
flights.map((f) => f, { emit: 'final' });

// Parameters are typed from the defaults of the second argument.
const withDefaults = job('days', (_flow, { days = 1, unit = 'd' }) => {
  assertType<Same<typeof days, number>>();
  assertType<Same<typeof unit, string>>();
});
withDefaults.build({ days: 2 });
withDefaults.build();
// error: Type 'string' is not assignable to type 'number'
withDefaults.build({ days: 'two' });
// error: 'day' does not exist in type
withDefaults.build({ day: 2 });
const annotated = job('annotated', (_flow, params: { readonly path: string }) => params.path);
annotated.build({ path: 'x' });
// error: Type 'number' is not assignable to type 'string'
annotated.build({ path: 1 });

// Event times.
const timed = flights.assignTimestamps('at', { outOfOrderness: '2h' });
assertType<Same<RecordOf<typeof timed>, Flight>>();
flights.assignTimestamps((f) => f.at, {
  watermarks: { punctuated: (f, t) => (f.delay > 0 ? t : null) },
});
flights.assignTimestamps(col('delay').mul(1000));
flights.assignTimestamps(ingestionTime());
flights.assignWatermarks({ idleTimeout: '10s' });
// error: No field 'att'; fields: 'at' | 'delay'
flights.assignTimestamps('att');
// error: Field 'origin' is no event time
flights.assignTimestamps('origin');
// error: No field 'dealy'; fields: 'at' | 'delay'
flights.assignTimestamps(col('dealy').mul(1000));
// error: Property 'dealy' does not exist on type 'Flight'
flights.assignTimestamps('at', { watermarks: { punctuated: (f) => f.dealy } });

// Windows.
const perMinute = flights
  .keyBy('origin')
  .window(tumbling('1m'))
  .aggregate({ worst: max('delay') });
assertType<
  Same<
    RecordOf<typeof perMinute>,
    {
      readonly origin: string;
      readonly windowStart: number;
      readonly windowEnd: number;
      readonly worst: number;
    }
  >
>();
const lateTotals = flights
  .windowAll(sliding('1m', '10s'))
  .allowedLateness('5s')
  .sideOutputLateData(outputTag<Flight>('late'))
  .count();
assertType<
  Same<
    RecordOf<typeof lateTotals>,
    {
      readonly windowStart: number;
      readonly windowEnd: number;
      readonly lateFiring: boolean;
      readonly count: number;
    }
  >
>();
// error: No field 'dealy'
flights.keyBy('origin').window(tumbling('1m')).sum('dealy');
// error: 'windowEnd' tells of the window
flights.windowAll(tumbling('1m')).aggregate({ windowEnd: count() });
// error: 'origin' is a key field
flights.keyBy('origin').window(tumbling('1m')).aggregate({ origin: count() });

// Fields of nested objects, typed where the columns are.
interface Event {
  bid: { price: number; note: string } | null;
}
const { bid } = columns<Event>();
const priced = (null as unknown as Stream<Event>).select({ price: bid.get('price') });
assertType<Same<RecordOf<typeof priced>, { readonly price: number | null }>>();
// error: Argument of type '"prise"' is not a
bid.get('prise');
