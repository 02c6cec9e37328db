/** Connectors that are given nothing, or something else: a coded error where the job is built, never a TypeError. */
import { describe, expect, it } from 'vitest';
import {
  collection,
  collectSink,
  csv,
  datagen,
  deadLetter,
  defineSink,
  defineSource,
  fromAsync,
  iterableSink,
  job,
  ndjson,
  parquet,
  print,
  run,
  text,
} from '../../../src/index.js';
import { MillraceError } from '../../../src/base/errors.js';

/** What a caller without types may pass. */
type Loose = (...args: readonly unknown[]) => unknown;

const FILES: readonly (readonly [string, Loose])[] = [
  ['csv', csv as Loose],
  ['ndjson', ndjson as Loose],
  ['text', text as Loose],
  ['parquet', parquet as Loose],
];

function failure(action: () => unknown): MillraceError {
  try {
    action();
  } catch (error) {
    if (error instanceof MillraceError) return error;
    throw error;
  }
  throw new Error('This has to be refused.');
}

describe.each(FILES)('%s', (type, connector) => {
  it.each([
    [undefined, 'the path is undefined'],
    [null, 'the path is null'],
    [5, 'the path is 5'],
    ['', 'the path is empty'],
    [{}, 'the path is an object'],
    [[], 'the list of paths is empty'],
    [['a', undefined], 'path 2 of the list is undefined'],
  ])('refuses %j as path', (path, what) => {
    const error = failure(() => connector(path));
    expect(error.code).toBe('OPTION_INVALID');
    expect(error.message).toContain(`${type}: ${what}.`);
    expect(error.advice).toContain('--param NAME=value');
  });

  it.each([null, 5, 'x', []])('refuses %j as options', (options) => {
    const error = failure(() => connector('a', options));
    expect(error.code).toBe('OPTION_INVALID');
    expect(error.message).toContain(`${type}: the options are`);
  });

  it('refuses a list of directories to write', () => {
    const { sink } = connector(['a', 'b']) as { sink: () => unknown };
    expect(failure(sink).message).toContain('a sink writes one directory');
  });
});

describe('a job', () => {
  it('names the connector whose parameter was not passed', async () => {
    const lines = job('lines', (flow, { path }) => {
      flow.from(text(path as string)).to(collectSink());
    });
    const error: unknown = await run(lines, { params: {} }).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: 'OPTION_INVALID' });
    expect(String(error)).toContain('text: the path is undefined.');
  });
});

describe('other connectors', () => {
  it.each<readonly [string, Loose]>([
    ['datagen', datagen as Loose],
    ['collection', collection as Loose],
    ['fromAsync', fromAsync as Loose],
    ['defineSource', defineSource as Loose],
    ['defineSink', defineSink as Loose],
    ['deadLetter', deadLetter as Loose],
  ])('%s refuses undefined, null and numbers', (type, connector) => {
    for (const value of [undefined, null, 5]) {
      const error = failure(() => connector(value));
      expect(error.code).toBe('OPTION_INVALID');
      expect(error.message).toContain(`${type}: `);
      expect(error.message).toContain(String(value));
    }
  });

  it('refuse options that are no object', () => {
    for (const [sink, type] of [
      [collectSink as Loose, 'collect'],
      [iterableSink as Loose, 'iterableSink'],
      [print as Loose, 'print'],
    ] as const) {
      expect(failure(() => sink(null)).message).toContain(`${type}: the options are null.`);
    }
  });

  it('refuse fields, functions and lists that are none', () => {
    const cases: readonly (readonly [() => unknown, string])[] = [
      [() => (datagen as Loose)({ rows: 1 }), 'datagen: fields is undefined.'],
      [() => (defineSource as Loose)({ name: 'a' }), 'defineSource: read is undefined.'],
      [() => (defineSink as Loose)({ name: 'a' }), 'defineSink: open is undefined.'],
      [() => source(parquet as Loose, { bigint: 'a' }), 'parquet: bigint is "a".'],
      [() => source(csv as Loose, { separator: 5 }), 'separator must be one ASCII character'],
      [() => source(csv as Loose, { nulls: 5 }), 'nulls must be a list of texts'],
    ];
    for (const [action, message] of cases) expect(failure(action).message).toContain(message);
  });
});

function source(connector: Loose, options: object): unknown {
  return (connector('a', options) as { source: () => unknown }).source();
}
