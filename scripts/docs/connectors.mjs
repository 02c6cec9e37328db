/** `docs/connectors.md`: what every connector is and promises, asked of the connectors themselves. */
import { code, GENERATED, page, table } from '../lib/markdown.mjs';

/** Each connector as a user writes it, made by a function of the api. */
function sourcesOf(api) {
  const iterable = { [Symbol.iterator]: () => [][Symbol.iterator]() };
  return [
    ["csv('in/*.csv')", api.csv('in').source()],
    ["ndjson('in/*.ndjson')", api.ndjson('in').source()],
    ["text('in/*.txt')", api.text('in').source()],
    ["parquet('in/*.parquet')", api.parquet('in').source()],
    ['collection(array)', api.collection([])],
    ['fromAsync(iterable)', api.fromAsync(iterable)],
    ['datagen({ rows, fields })', api.datagen({ rows: 1, fields: { id: api.sequence() } })],
    ['defineSource({ … })', api.defineSource({ name: 'custom', read: () => [] })],
  ];
}

function sinksOf(api) {
  return [
    ["csv('out')", api.csv('out').sink()],
    ["ndjson('out')", api.ndjson('out').sink()],
    ["text('out')", api.text('out').sink()],
    ["parquet('out')", api.parquet('out').sink()],
    ['print()', api.print()],
    ['collectSink()', api.collectSink()],
    ['iterableSink()', api.iterableSink()],
    ['discard()', api.discard()],
    ['defineSink({ … })', api.defineSink({ name: 'custom', open: () => ({ write() {} }) })],
  ];
}

export function connectorsPage(api) {
  const sources = sourcesOf(api).map(([text, source]) => [
    code(text),
    source.bounded ? 'bounded' : 'unbounded',
    placeOf(source),
    source.maxParallelism ?? 'any',
    source.projects ? 'yes' : 'no',
    source.guarantee,
  ]);
  const sinks = sinksOf(api).map(([text, sink]) => [
    code(text),
    placeOf(sink),
    sink.parallelism ?? 'of its input',
    sink.commit === undefined ? 'as they arrive' : 'when the run has finished',
    sink.guarantee,
  ]);
  return page(
    '# Connectors',
    GENERATED,
    'A connector is a value that a job function makes and `flow.from` or `stream.to` takes. An array or an iterable given to ' +
      '`flow.from` becomes a `collection` or a `fromAsync` by itself.',
    '*Where* says on which thread it reads or writes: in the slots, so in parallel, or on the thread that called `run`, because ' +
      'it uses something that exists only there. The last column says what the connector can promise when a run is repeated ' +
      'after a failure: exactly-once means that every record counts once, at-least-once that some may be seen twice, ' +
      'at-most-once that some may be missing. A failed or canceled job is not restarted by itself; you run it again.',
    '## Sources',
    table(
      ['Source', 'Input', 'Where', 'Subtasks', 'Reads only columns in use', 'Promise'],
      sources,
    ),
    '`fromAsync` and `defineSource` are bounded unless `bounded: false` says otherwise, `datagen` unless its `rows` are ' +
      "`'unbounded'`. A `defineSource` without `plan` has one split and so one subtask; one whose records do not end " +
      'reads its splits side by side, others do with `interleave: true` ([by split](time.md#by-split)); `host`, ' +
      '`guarantee` and `maxParallelism` are up to it.',
    '## Sinks',
    table(['Sink', 'Where', 'Subtasks', 'Results are visible', 'Promise'], sinks),
    'A `defineSink` may set `host`, `parallelism` and `guarantee` itself. Options of files are in [files](files.md).',
  );
}

function placeOf({ host }) {
  return host ? 'caller’s thread' : 'slots';
}
