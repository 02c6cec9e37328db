import { afterEach, describe, expect, it, vi } from 'vitest';
import { definedJobs, isJobDefinition, job } from '../../../src/api/job.js';
import { identityOf } from '../../../src/graph/logical-graph.js';
import { sink, source } from '../graph/graph-fixtures.js';

const HOOK = Symbol.for('millrace.slot');

afterEach(() => {
  Reflect.deleteProperty(globalThis, HOOK);
});

describe('job', () => {
  it('is a frozen value that says where it was defined and runs nothing', () => {
    const build = vi.fn();
    const definition = job('quiet', build);
    expect(build).not.toHaveBeenCalled();
    expect(Object.isFrozen(definition)).toBe(true);
    expect(definition.definedAt).toMatch(/job\.test\.ts:\d+:\d+$/);
    expect(definition.module).toMatch(/^file:.*job\.test\.ts$/);
    expect(isJobDefinition(definition)).toBe(true);
    expect(isJobDefinition({ name: 'quiet', build })).toBe(false);
    expect(isJobDefinition(null)).toBe(false);
  });

  it('builds a frozen graph, a new one each time, with the parameters it is given', () => {
    const definition = job('params', (flow, { from = 'flights' }) => {
      flow.from(source({ name: from })).to(sink());
    });
    const names = (graph: ReturnType<typeof definition.build>): string[] =>
      graph.nodes.map((node) => identityOf(node).name);
    expect(names(definition.build())).toEqual(['flights', 'out']);
    expect(names(definition.build({ from: 'trains' }))).toEqual(['trains', 'out']);
    expect(definition.build()).not.toBe(definition.build());
    expect(Object.isFrozen(definition.build().nodes[0])).toBe(true);
    expect(definition.build().jobName).toBe('params');
  });

  it('is found by name on its thread, the newest of a name first', () => {
    job('found', () => undefined);
    const newest = job('found', () => undefined);
    expect(definedJobs().get('found')).toBe(newest);
  });

  it('tells a slot that imports its module', () => {
    const onJob = vi.fn();
    Reflect.set(globalThis, HOOK, { onJob, isSlot: true });
    const definition = job('taken', () => undefined);
    expect(onJob).toHaveBeenCalledExactlyOnceWith(definition);
  });

  it.each([
    ['an empty name', () => job(' ', () => undefined), /name of a job/],
    // @ts-expect-error The compiler refuses it too.
    ['no function', () => job('none'), /Job "none" has no function/],
    [
      'an async function',
      () => job('later', (async () => undefined) as () => void).build(),
      /The function of job "later" is async/,
    ],
  ])('refuses %s', (_what, act, message) => {
    expect(act).toThrow(message);
  });
});
