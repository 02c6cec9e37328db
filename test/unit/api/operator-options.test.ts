import { describe, expect, it } from 'vitest';
import { count } from '../../../src/api/aggregates.js';
import type { Flow } from '../../../src/api/flow.js';
import { MillraceError } from '../../../src/base/errors.js';
import { graphOf, sink, source } from '../graph/graph-fixtures.js';

/**
 * The error of a call whose options are wrong; `options` is untyped as from a program without
 * types.
 */
const errorOf = (build: (flow: Flow, options: never) => void, options: unknown): MillraceError => {
  try {
    graphOf((flow) => build(flow, options as never));
  } catch (error) {
    if (MillraceError.is(error)) return error;
    throw error;
  }
  throw new Error('Nothing was thrown.');
};
const map = (flow: Flow, options: never): void => {
  flow
    .from(source())
    .map((f) => f, options)
    .to(sink());
};

describe('options of verbs', () => {
  it('that do not exist are refused at once, with the nearest name and the line', () => {
    const error = errorOf(map, { paralellism: 2 });
    expect(error.code).toBe('OPTION_UNKNOWN');
    expect(error.message).toMatch(
      /^map\(\.\.\.\) at \S+operator-options\.test\.ts:\d+:\d+ has no option "paralellism"\.$/,
    );
    expect(error.advice).toBe('Did you mean "parallelism"?');
  });

  it.each([
    [{ parallelism: 0 }, 'parallelism', 'is 0', 'a whole number from 1 to 32768'],
    [{ parallelism: '2' }, 'parallelism', 'is "2"', 'a whole number from 1 to 32768'],
    [{ maxParallelism: 40_000 }, 'maxParallelism', 'is 40000', 'a whole number from 1 to 32768'],
    [{ uid: '' }, 'uid', 'is ""', 'a text that is not empty'],
    [{ name: 7 }, 'name', 'is 7', 'a text that is not empty'],
    [{ slotSharingGroup: null }, 'slotSharingGroup', 'is null', 'a text that is not empty'],
    [{ chain: 'no' }, 'chain', 'is "no"', "'always', 'head' or 'never'"],
    [
      { returns: 'text' },
      'returns',
      'is "text"',
      'a schema; of this one, its shape is none of object, tuple and value',
    ],
  ])('%j is refused with what would be valid', (options, name, message, valid) => {
    const error = errorOf(map, options);
    expect(error.code).toBe('OPTION_INVALID');
    expect(error.where.field).toBe(name);
    expect(error.message).toContain(message);
    expect(error.advice).toBe(`It must be ${valid}.`);
  });

  it('of one verb do not exist on another', () => {
    expect(errorOf(map, { emit: 'final' }).code).toBe('OPTION_UNKNOWN');
    const aggregate = (flow: Flow, options: never): void => {
      flow.from(source()).keyBy('origin').aggregate({ n: count() }, options).to(sink());
    };
    expect(errorOf(aggregate, { emit: 'sometimes' }).advice).toBe(
      "It must be 'updates' or 'final'.",
    );
  });

  it('are an object', () => {
    expect(errorOf(map, 'fast').message).toContain('options are an object');
  });

  it('that are undefined count as absent', () => {
    expect(() =>
      graphOf((flow) => {
        map(flow, { uid: undefined, parallelism: undefined } as never);
      }),
    ).not.toThrow();
  });

  it('reach the graph', () => {
    const graph = graphOf((flow) => {
      flow
        .from(source())
        .map((f) => f, {
          uid: 'm',
          name: 'parse',
          parallelism: 2,
          maxParallelism: 8,
          slotSharingGroup: 'g',
          chain: 'head',
        })
        .to(sink());
    });
    expect(graph.nodes[1]).toMatchObject({
      spec: { uid: 'm', name: 'parse' },
      options: {
        parallelism: 2,
        maxParallelism: 8,
        slotSharingGroup: 'g',
        chain: 'head',
        uidGiven: true,
      },
    });
    expect(graph.nodes[0]?.options).toEqual({
      parallelism: null,
      maxParallelism: null,
      slotSharingGroup: null,
      chain: 'always',
      uidGiven: false,
    });
  });
});
