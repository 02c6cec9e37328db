import { describe, expect, it } from 'vitest';
import { count } from '../../../src/api/aggregates.js';
import type { Stream } from '../../../src/api/stream.js';
import { planOf, sink, source, vertexNamed } from './graph-fixtures.js';

const names = (plan: ReturnType<typeof planOf>): string[] => plan.vertices.map((v) => v.name);

describe('chaining', () => {
  it('fuses a straight line of equal parallelism into one chain, sink included', () => {
    const plan = planOf((flow) => {
      flow
        .from(source())
        .map((f) => f)
        .filter((f) => f.delay > 0)
        .to(sink());
    });
    expect(names(plan)).toEqual(['flights -> map -> filter -> out']);
    expect(plan.edges).toEqual([]);
    expect(plan.vertices[0]?.operators.map(({ input }) => input)).toEqual([-1, 0]);
    expect(plan.vertices[0]?.sinks.map(({ after }) => after)).toEqual([1]);
  });

  it('begins another chain before generated code nests too deep', () => {
    const plan = planOf((flow) => {
      let flights: Stream<unknown> = flow.from(source());
      for (let step = 0; step < 250; step++) flights = flights.map((f) => f);
      flights.to(sink());
    });
    const sizes = plan.vertices.map(({ operators }) => operators.length);
    expect(sizes).toEqual([99, 100, 51]);
    expect(plan.vertices[1]?.chainBreaks).toEqual(['A chain has at most 100 operators.']);
    expect(plan.edges.map(({ partitioner }) => partitioner.kind)).toEqual(['forward', 'forward']);
  });

  it('keeps a tree of operators in one chain and says what feeds what', () => {
    const plan = planOf((flow) => {
      const flights = flow.from(source());
      const late = flights.filter((f) => f.delay > 0);
      late.map((f) => f.origin).to(sink({ name: 'names' }));
      late.map((f) => f.delay).to(sink({ name: 'delays' }));
      flights.to(sink({ name: 'all' }));
    });
    expect(plan.vertices).toHaveLength(1);
    expect(plan.vertices[0]?.operators.map(({ input }) => input)).toEqual([-1, 0, 0]);
    expect(plan.vertices[0]?.sinks.map(({ identity, after }) => [identity.name, after])).toEqual([
      ['names', 1],
      ['delays', 2],
      ['all', -1],
    ]);
  });

  it.each([
    ['rebalance', 'Records are dealt by rebalance, not forwarded.'],
    ['rescale', 'Records are dealt by rescale, not forwarded.'],
    ['shuffle', 'Records are dealt by shuffle, not forwarded.'],
    ['broadcast', 'Records are dealt by broadcast, not forwarded.'],
    ['global', 'Records are dealt by global, not forwarded.'],
  ] as const)('breaks at %s', (kind, reason) => {
    const plan = planOf((flow) => {
      flow
        .from(source())
        [kind]()
        .map((f) => f)
        .to(sink());
    });
    expect(names(plan)).toEqual(['flights', 'map -> out']);
    expect(plan.edges[0]?.partitioner).toEqual({ kind });
    expect(plan.vertices[0]?.chainBreaks).toEqual([reason]);
  });

  it('breaks at a keyed exchange even between single subtasks, as Flink does', () => {
    const plan = planOf(
      (flow) => {
        flow.from(source()).keyBy('origin').aggregate({ n: count() }).to(sink());
      },
      { parallelism: 1 },
    );
    expect(names(plan)).toEqual(['flights', 'aggregate -> out']);
    expect(plan.vertices[0]?.chainBreaks).toEqual([
      'Records are dealt by hash of origin, not forwarded.',
    ]);
  });

  it('breaks where the parallelism changes and rebalances there', () => {
    const plan = planOf((flow) => {
      flow
        .from(source({ maxParallelism: 1 }))
        .map((f) => f)
        .to(sink());
    });
    expect(names(plan)).toEqual(['flights', 'map -> out']);
    expect(plan.edges[0]?.partitioner).toEqual({ kind: 'rebalance' });
    expect(plan.vertices[0]?.chainBreaks).toEqual(['The parallelism changes from 1 to 4.']);
  });

  it('breaks between slot-sharing groups but forwards', () => {
    const plan = planOf((flow) => {
      flow
        .from(source())
        .map((f) => f, { slotSharingGroup: 'heavy' })
        .to(sink());
    });
    expect(names(plan)).toEqual(['flights', 'map -> out']);
    expect(plan.edges[0]?.partitioner).toEqual({ kind: 'forward' });
    expect(plan.vertices[0]?.chainBreaks).toEqual([
      'The slot-sharing group changes from "default" to "heavy".',
    ]);
  });

  it("chain: 'head' starts a chain that others join; 'never' stands alone", () => {
    const plan = planOf((flow) => {
      flow
        .from(source())
        .map((f) => f, { name: 'head', chain: 'head' })
        .map((f) => f, { name: 'next' })
        .map((f) => f, { name: 'alone', chain: 'never' })
        .map((f) => f, { name: 'after' })
        .to(sink());
    });
    expect(names(plan)).toEqual(['flights', 'head -> next', 'alone', 'after -> out']);
    expect(plan.vertices.map((v) => v.chainBreaks)).toEqual([
      ['"head" is set to chain: \'head\'.'],
      ['"alone" is set to chain: \'never\'.'],
      ['"alone" is set to chain: \'never\'.'],
      [],
    ]);
  });

  it('breaks at a union, with an edge per input, forward where the parallelism is equal', () => {
    const plan = planOf((flow) => {
      const left = flow.from(source({ name: 'left' }));
      const right = flow.from(source({ name: 'right', maxParallelism: 1 }));
      left
        .union(right)
        .map((f) => f)
        .to(sink());
    });
    const union = vertexNamed(plan, 'map');
    expect(union.inputs.map((edge) => plan.edges[edge]?.partitioner.kind)).toEqual([
      'forward',
      'rebalance',
    ]);
    expect(vertexNamed(plan, 'left').chainBreaks).toEqual([
      '"map" merges 2 inputs, so it starts a chain.',
    ]);
  });

  it('a union of a stream with itself has two edges', () => {
    const plan = planOf((flow) => {
      const flights = flow.from(source());
      flights.union(flights).to(sink());
    });
    expect(plan.edges.map(({ from, to }) => [from, to])).toEqual([
      [0, 1],
      [0, 1],
    ]);
    expect(plan.vertices[0]?.outputs.map(({ after }) => after)).toEqual([-1, -1]);
  });

  it('never chains what runs on the host thread with what runs in slots', () => {
    const plan = planOf(
      (flow) => {
        flow
          .from(source({ name: 'array', host: true, maxParallelism: 1 }))
          .map((f) => f)
          .to(sink({ name: 'callback', host: true }));
      },
      { parallelism: 1 },
    );
    expect(names(plan)).toEqual(['array', 'map', 'callback']);
    expect(plan.vertices.map((v) => v.chainBreaks)).toEqual([
      ['"array" runs on the caller\'s thread, the other side in slots.'],
      ['"callback" runs on the caller\'s thread, the other side in slots.'],
      [],
    ]);
  });

  it('chains a host source with a host sink', () => {
    const plan = planOf((flow) => {
      flow.from(source({ host: true })).to(sink({ host: true }));
    });
    expect(names(plan)).toEqual(['flights -> out']);
    expect(plan.slots).toBe(0);
  });

  it('taps an edge after the operator that feeds it', () => {
    const plan = planOf((flow) => {
      const flights = flow.from(source()).map((f) => f, { name: 'first' });
      flights.map((f) => f, { name: 'second' }).to(sink());
      flights
        .rebalance()
        .map((f) => f, { name: 'third' })
        .to(sink());
    });
    expect(vertexNamed(plan, 'first').outputs).toEqual([{ edge: 0, after: 0 }]);
  });

  it('refuses a forward edge between unequal sides, naming the line', () => {
    expect(() =>
      planOf((flow) => {
        flow
          .from(source())
          .forward()
          .map((f) => f, { parallelism: 2 })
          .to(sink());
      }),
    ).toThrow(
      /"map" at .*chained-graph\.test\.ts:\d+:\d+: a forward edge .* is 4 there and 2 here\.$/,
    );
  });
});
