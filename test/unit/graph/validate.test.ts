import { describe, expect, it } from 'vitest';
import { count } from '../../../src/api/aggregates.js';
import type { JobFunction } from '../../../src/api/job.js';
import { MillraceError } from '../../../src/base/errors.js';
import { DEFAULT_NODE_OPTIONS, type LogicalGraph } from '../../../src/graph/logical-graph.js';
import { validateGraph } from '../../../src/graph/validate.js';
import { graphOf, planOf, sink, source } from './graph-fixtures.js';

const errorOf = (act: () => unknown): MillraceError => {
  try {
    act();
  } catch (error) {
    if (MillraceError.is(error)) return error;
    throw error;
  }
  throw new Error('Nothing was thrown.');
};
const planError = (build: JobFunction): MillraceError => errorOf(() => planOf(build));

describe('validation', () => {
  it('refuses a job without a sink', () => {
    const error = planError((flow) => {
      flow.from(source()).map((f) => f);
    });
    expect(error.code).toBe('GRAPH_EMPTY');
    expect(error.message).toBe('Job "test-job" has no sink.');
    expect(error.advice).toContain('.to(...)');
  });

  it('refuses two operators of one uid, naming both lines', () => {
    const error = planError((flow) => {
      flow
        .from(source(), { uid: 'same' })
        .map((f) => f, { uid: 'same' })
        .to(sink());
    });
    expect(error.code).toBe('UID_DUPLICATE');
    expect(error.message).toMatch(
      /^Operator "map" at \S+validate\.test\.ts:\d+:\d+: uid "same" .* "flights" at \S+:\d+\.$/,
    );
    expect(error.where).toMatchObject({ job: 'test-job', operator: 'map', uid: 'same' });
    expect(error.where.file).toMatch(/validate\.test\.ts$/);
    expect(error.where.line).toBeGreaterThan(30);
  });

  it("refuses emit: 'final' on unbounded input, also behind a union with bounded", () => {
    const error = planError((flow) => {
      const live = flow.from(source({ bounded: false }));
      flow
        .from(source({ name: 'old' }))
        .union(live)
        .keyBy('origin')
        .aggregate({ n: count() }, { emit: 'final' })
        .to(sink());
    });
    expect(error.code).toBe('GRAPH_INVALID');
    expect(error.message).toContain('which is unbounded, so it would never emit');
  });

  it('refuses graphs that were not built by the api', () => {
    const graph = graphOf((flow) => flow.from(source()).to(sink()));
    const broken = (change: object): LogicalGraph => ({
      ...graph,
      nodes: graph.nodes.map((node) => (node.id === 1 ? { ...node, ...change } : node)),
    });
    const messages = [
      { inputs: [] },
      { inputs: [{ node: 7, partitioner: null }] },
      { inputs: [{ node: 1, partitioner: null }] },
      { id: 5 },
      { inputs: [{ node: 0, partitioner: { kind: 'custom', fn: 1 } }] },
      { inputs: [{ node: 0, partitioner: { kind: 'hash', keys: [] } }] },
      { options: { ...DEFAULT_NODE_OPTIONS, parallelism: 0 } },
      { options: { ...DEFAULT_NODE_OPTIONS, slotSharingGroup: '' } },
    ].map((change) => errorOf(() => validateGraph(broken(change))).message);
    expect(messages.map((message) => message.replace(/^Operator "out" at \S+: /, ''))).toEqual([
      'an operator or sink needs an input.',
      'input 7 is not before it.',
      'input 1 is not before it.',
      'node 1 carries the id 5.',
      'a custom partitioner is a function (record, parallelism) => subtask.',
      'a keyed exchange needs at least one key field.',
      'parallelism is 0, but it is a whole number from 1 to 32768.',
      'slotSharingGroup is an empty text.',
    ]);
  });

  it('refuses a keyed operator that is behind another exchange', () => {
    const graph = graphOf((flow) => {
      flow.from(source()).keyBy('origin').aggregate({ n: count() }).to(sink());
    });
    const behind = (partitioner: unknown): LogicalGraph =>
      JSON.parse(
        JSON.stringify(graph, (key, value) =>
          key === 'partitioner' && value !== null ? partitioner : value,
        ),
      );
    expect(errorOf(() => validateGraph(behind({ kind: 'rebalance' }))).message).toMatch(
      /: aggregate is keyed by origin, but it is behind no keyed exchange\.$/,
    );
    expect(errorOf(() => validateGraph(behind({ kind: 'hash', keys: ['delay'] }))).message).toMatch(
      /: aggregate is keyed by origin, but it is behind keyBy\(delay\)\.$/,
    );
  });
});
