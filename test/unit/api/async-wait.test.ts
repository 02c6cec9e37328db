import { describe, expect, it } from 'vitest';
import type { AsyncRetryStrategy } from '../../../src/api/async-wait.js';
import type { Flow } from '../../../src/api/flow.js';
import { MillraceError } from '../../../src/base/errors.js';
import type { LogicalNode } from '../../../src/graph/logical-graph.js';
import { explainText } from '../../../src/graph/explain-text.js';
import { planJob } from '../../../src/graph/plan.js';
import type { AsyncRetry } from '../../../src/operator/async/async-function.js';
import { graphOf, sink, source } from '../graph/graph-fixtures.js';

const answer = async (record: unknown): Promise<unknown> => record;

function errorOf(options: unknown): MillraceError {
  try {
    graphOf((flow) =>
      flow
        .from(source())
        .orderedWait(answer, options as never)
        .to(sink()),
    );
  } catch (error) {
    if (MillraceError.is(error)) return error;
    throw error;
  }
  throw new Error('Nothing was thrown.');
}

function specOf(build: (flow: Flow) => void): LogicalNode & { readonly kind: 'operator' } {
  const node = graphOf(build).nodes.find(({ kind }) => kind === 'operator');
  if (node?.kind !== 'operator') throw new Error('There is no operator.');
  return node;
}

describe('options of asynchronous functions', () => {
  it.each([
    [{ capcity: 3 }, 'OPTION_UNKNOWN', 'capcity', 'Did you mean "capacity"?'],
    [{ capacity: 0 }, 'OPTION_INVALID', 'capacity', 'a whole number from 1 on'],
    [{ timeout: '5 parsecs' }, 'OPTION_INVALID', 'timeout', 'a duration'],
    [{ onTimeout: 3 }, 'OPTION_INVALID', 'onTimeout', 'a function'],
    [{ open: {} }, 'OPTION_INVALID', 'open', 'a function'],
    [{ retry: 3 }, 'OPTION_INVALID', 'retry', 'maxAttempts: 3'],
    [{ retry: { maxAttempts: 3 } }, 'OPTION_INVALID', 'retry', 'maxAttempts: 3'],
    [{ retry: { delay: 1, maxAttempts: 0 } }, 'OPTION_INVALID', 'retry', 'maxAttempts a whole'],
    [{ retry: { delay: 1, maxAttempt: 1 } }, 'OPTION_UNKNOWN', 'retry.maxAttempt', '"maxAttempts"'],
    [
      { retry: { delay: () => 1, maxAttempts: 1, multiplier: 2 } },
      'OPTION_INVALID',
      'retry',
      'takes no multiplier',
    ],
  ] as const)('%j is refused', (options, code, field, advice) => {
    const error = errorOf(options);
    expect(error).toMatchObject({ code, where: { field } });
    expect(error.advice).toContain(advice);
  });

  it('need a function', () => {
    const build = (flow: Flow): unknown => flow.from(source()).unorderedWait(3 as never);
    expect(() => graphOf((flow) => void build(flow))).toThrow(
      'unorderedWait(...) takes a function',
    );
  });

  it('have the defaults of Flink', () => {
    const { spec } = specOf((flow) => flow.from(source()).unorderedWait(answer).to(sink()));
    expect(spec).toMatchObject({
      kind: 'asyncWait',
      order: 'unordered',
      capacity: 100,
      timeoutMs: 180_000,
      retry: null,
    });
  });

  const predicates: readonly (readonly [Partial<AsyncRetryStrategy>, unknown])[] = [
    [{}, [true, null]],
    [{ ifResult: () => true }, [false, true]],
    [{ ifException: () => false }, [false, null]],
    [{ ifException: () => true, ifResult: () => false }, [true, false]],
  ];
  it.each(predicates)('repeat by %j', (own, expected) => {
    const retry = { maxAttempts: 1, delay: 0, ...own };
    const { spec } = specOf((flow) =>
      flow.from(source()).orderedWait(answer, { timeout: 0, retry }).to(sink()),
    );
    const made = (spec as { readonly retry?: AsyncRetry | null }).retry;
    expect([made?.ifException(new Error()), made?.ifResult?.([]) ?? null]).toEqual(expected);
    expect(spec).toMatchObject({ timeoutMs: null });
  });
});

describe('an asynchronous function in a plan', () => {
  const graph = graphOf((flow) => {
    flow
      .from(source())
      .orderedWait(async (row: { origin: string }, { signal }) => [row.origin, signal.aborted], {
        retry: { maxAttempts: 2, delay: '1s' },
      })
      .map((row) => row)
      .to(sink());
  });
  const plan = planJob(graph, { parallelism: 1, maxParallelism: null });

  it('heads its chain, and says why', () => {
    expect(plan.vertices.map(({ name }) => name)[1]).toMatch(/^orderedWait -> map/);
    expect(explainText(plan)).toContain('"orderedWait" waits for answers, so it starts a chain.');
  });

  it('has only the fields brought along that it reads', () => {
    expect(plan.edges[0].columns).toEqual(['origin']);
  });

  it('is explained', () => {
    const text = explainText(plan).replace(/\s+/g, ' ');
    expect(text).toContain(
      'ordered, at most 100 at a time, each within 3 m 0 s, repeated up to 2 times: invoke async',
    );
  });
});
