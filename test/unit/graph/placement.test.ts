import { describe, expect, it } from 'vitest';
import { count } from '../../../src/api/aggregates.js';
import { HOST_SLOT } from '../../../src/graph/physical-plan.js';
import { planOf, sink, source, vertexNamed } from './graph-fixtures.js';

describe('parallelism', () => {
  it('comes from the job unless the operator says otherwise', () => {
    const plan = planOf((flow) => {
      flow
        .from(source())
        .map((f) => f, { name: 'two', parallelism: 2 })
        .map((f) => f, { name: 'usual' })
        .to(sink());
    });
    expect(plan.vertices.map(({ name, parallelism }) => [name, parallelism])).toEqual([
      ['flights', 4],
      ['two', 2],
      ['usual -> out', 4],
    ]);
  });

  it('of a source is limited by its input, of a sink by what it insists on', () => {
    const plan = planOf((flow) => {
      flow
        .from(source({ maxParallelism: 3 }))
        .map((f) => f)
        .to(sink({ parallelism: 1 }));
    });
    expect(plan.vertices.map(({ parallelism }) => parallelism)).toEqual([3, 4, 1]);
  });

  it('of a sink is that of its widest input', () => {
    const plan = planOf((flow) => {
      const one = flow.from(source({ name: 'one', maxParallelism: 1 }));
      const two = flow.from(source({ name: 'two', maxParallelism: 2 }));
      one.to(sink({ name: 'alone' }));
      one.union(two).to(sink({ name: 'both' }));
    });
    expect(vertexNamed(plan, 'one').name).toBe('one -> alone');
    expect(vertexNamed(plan, 'both').parallelism).toBe(2);
  });

  it('of host connectors is 1, on the host slot', () => {
    const plan = planOf((flow) => {
      flow
        .from(source({ host: true }))
        .map((f) => f)
        .to(sink({ host: true }));
    });
    expect(plan.vertices.map(({ slots }) => slots)).toEqual([
      [HOST_SLOT],
      [0, 1, 2, 3],
      [HOST_SLOT],
    ]);
  });

  it.each([
    ['source', { maxParallelism: 2 }, {}, 3, /at most 2 is possible because its input cannot/],
    ['host source', { host: true }, {}, 2, /at most 1 is possible because it runs on the caller/],
  ] as const)('more than a %s can use is refused', (_what, from, to, parallelism, message) => {
    const build = () =>
      planOf((flow) => {
        flow.from(source(from), { parallelism }).to(sink(to));
      });
    expect(build).toThrow(message);
    expect(build).toThrow(expect.objectContaining({ code: 'PARALLELISM_INVALID' }));
  });

  it('other than a sink insists on is refused', () => {
    expect(() =>
      planOf((flow) => {
        flow.from(source()).to(sink({ parallelism: 1 }), { parallelism: 2 });
      }),
    ).toThrow(/parallelism 2 was asked for, but the sink insists on 1\./);
  });

  it.each([0, -1, 1.5, 40_000, Number.NaN])('%s for the job is refused', (parallelism) => {
    const build = () =>
      planOf(
        (flow) => {
          flow.from(source()).to(sink());
        },
        { parallelism },
      );
    expect(build).toThrow(expect.objectContaining({ code: 'PARALLELISM_INVALID' }));
  });
});

describe('max parallelism', () => {
  it('is derived as in Flink, then overridden by job and operator', () => {
    const build = (maxParallelism: number | null) =>
      planOf(
        (flow) => {
          const keyed = flow.from(source()).keyBy('origin');
          keyed.aggregate({ n: count() }, { name: 'usual' }).to(sink());
          keyed.aggregate({ m: count() }, { name: 'own', maxParallelism: 512 }).to(sink());
        },
        { maxParallelism, preAggregate: false },
      );
    expect(vertexNamed(build(null), 'usual').maxParallelism).toBe(128);
    expect(vertexNamed(build(64), 'usual').maxParallelism).toBe(64);
    expect(vertexNamed(build(64), 'own').maxParallelism).toBe(512);
  });

  it('below the parallelism is refused, naming the operator', () => {
    expect(() =>
      planOf((flow) => {
        flow
          .from(source())
          .map((f) => f, { maxParallelism: 2 })
          .to(sink());
      }),
    ).toThrow(/Operator "map" at .*: parallelism 4 exceeds max parallelism 2\./);
  });
});

describe('slots', () => {
  it('are shared by subtasks of the same number', () => {
    const plan = planOf((flow) => {
      flow
        .from(source({ maxParallelism: 2 }))
        .keyBy('origin')
        .aggregate({ n: count() })
        .to(sink({ parallelism: 1 }));
    });
    expect(plan.slots).toBe(4);
    expect(plan.vertices.map(({ slots }) => slots)).toEqual([[0, 1], [0, 1, 2, 3], [0]]);
  });

  it('of groups are disjoint and add up', () => {
    const plan = planOf((flow) => {
      flow
        .from(source({ maxParallelism: 2 }), { slotSharingGroup: 'io' })
        .map((f) => f, { slotSharingGroup: 'cpu', parallelism: 3 })
        .to(sink(), { slotSharingGroup: 'io' });
    });
    expect(plan.slots).toBe(6);
    expect(plan.vertices.map(({ slots }) => slots)).toEqual([
      [0, 1],
      [3, 4, 5],
      [0, 1, 2],
    ]);
  });

  it('groups are inherited only when all inputs share them', () => {
    const plan = planOf((flow) => {
      const io = { slotSharingGroup: 'io' };
      const left = flow.from(source({ name: 'left' }), io);
      const right = flow.from(source({ name: 'right' }), io);
      const other = flow.from(source({ name: 'other' }));
      left.union(right).to(sink({ name: 'same' }));
      left.union(other).to(sink({ name: 'mixed' }));
    });
    expect(vertexNamed(plan, 'same').slotSharingGroup).toBe('io');
    expect(vertexNamed(plan, 'mixed').slotSharingGroup).toBe('default');
  });
});
