/**
 * Random dataflows, planned at random parallelism, keep the laws of plans. Each law is checked from
 * the plan and the graph alone, without the code that makes plans.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { count } from '../../src/api/aggregates.js';
import type { Flow } from '../../src/api/flow.js';
import { job } from '../../src/api/job.js';
import type { Stream } from '../../src/api/stream.js';
import { identityOf } from '../../src/graph/logical-graph.js';
import { HOST_SLOT, type PhysicalPlan, type Vertex } from '../../src/graph/physical-plan.js';
import { planJob } from '../../src/graph/plan.js';
import { sink, source } from '../unit/graph/graph-fixtures.js';

/**
 * One step of a random program; `of` and `with` pick streams by number, modulo how many there are.
 */
interface Step {
  readonly verb: 'source' | 'map' | 'filter' | 'union' | 'deal' | 'count' | 'keyFn' | 'sink';
  readonly of: number;
  readonly with: number;
  readonly parallelism: number | undefined;
  readonly group: string | undefined;
  readonly chain: 'always' | 'head' | 'never';
  readonly host: boolean;
  readonly limit: number | null;
}

const step: fc.Arbitrary<Step> = fc.record({
  verb: fc.constantFrom('source', 'map', 'filter', 'union', 'deal', 'count', 'keyFn', 'sink'),
  of: fc.nat(20),
  with: fc.nat(20),
  parallelism: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined, freq: 3 }),
  group: fc.option(fc.constantFrom('a', 'b'), { nil: undefined, freq: 5 }),
  chain: fc.constantFrom('always', 'always', 'always', 'head', 'never'),
  host: fc.boolean(),
  limit: fc.constantFrom(null, 1, 3),
});

type Any = Stream<{ readonly origin: string }>;

function apply(flow: Flow, streams: Any[], { verb, ...how }: Step): void {
  const options = {
    ...(how.parallelism === undefined ? {} : { parallelism: how.parallelism }),
    ...(how.group === undefined ? {} : { slotSharingGroup: how.group }),
    chain: how.chain,
  };
  const connector = source<{ readonly origin: string }>({
    host: how.host,
    maxParallelism: how.limit,
    bounded: how.limit !== 3,
  });
  const stream = streams[how.of % Math.max(1, streams.length)];
  const other = streams[how.with % Math.max(1, streams.length)];
  if (verb === 'source' || stream === undefined || other === undefined) {
    streams.push(flow.from(connector, { chain: how.chain }));
  } else if (verb === 'map') streams.push(stream.map((record) => record, options));
  else if (verb === 'filter') streams.push(stream.filter(() => true, options));
  else if (verb === 'union') streams.push(stream.union(other));
  else if (verb === 'deal') streams.push(stream.rebalance().map((record) => record, options));
  else if (verb === 'count') {
    streams.push(stream.keyBy('origin').aggregate({ n: count() }, options));
  } else if (verb === 'keyFn') {
    const counted = stream.keyBy((record) => record.origin).aggregate({ n: count() }, options);
    streams.push(counted.map(({ key }) => ({ origin: key })));
  } else stream.to(sink({ host: how.host }));
}

const program = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 25 }),
  parallelism: fc.integer({ min: 1, max: 6 }),
});

function plansOf({ steps, parallelism }: { steps: readonly Step[]; parallelism: number }) {
  const definition = job('random', (flow) => {
    const streams: Any[] = [];
    for (const each of steps) apply(flow, streams, each);
    if (streams.length === 0) streams.push(flow.from(source<{ readonly origin: string }>()));
    streams[streams.length - 1]?.to(sink());
  });
  const graph = definition.build();
  return {
    graph,
    plan: planJob(graph, { parallelism }),
    again: planJob(definition.build(), { parallelism }),
  };
}

const laws = (law: (made: ReturnType<typeof plansOf>) => void): void => {
  fc.assert(
    fc.property(program, (made) => law(plansOf(made))),
    { numRuns: 60 },
  );
};

/** Uids of all parts of a vertex. */
const parts = (vertex: Vertex): string[] => [
  ...(vertex.source === null ? [] : [vertex.source.identity.uid]),
  ...vertex.operators.map(({ spec }) => spec.uid),
  ...vertex.sinks.map(({ identity }) => identity.uid),
];

const isHost = (vertex: Vertex): boolean => vertex.slots.includes(HOST_SLOT);

/**
 * Whether a sink can be reached from a node, by the definition and not by the engine's way of
 * finding it.
 */
function observed(graph: ReturnType<typeof plansOf>['graph'], id: number): boolean {
  if (graph.nodes[id]?.kind === 'sink') return true;
  return graph.nodes.some(
    (node) => node.inputs.some((input) => input.node === id) && observed(graph, node.id),
  );
}

describe('a plan', () => {
  it('is the same whenever it is made', () => {
    laws(({ plan, again }) => {
      const shape = (made: PhysicalPlan): unknown => [
        made.hash,
        made.slots,
        made.edges,
        made.vertices.map((vertex) => [vertex.uid, vertex.slots, vertex.name]),
      ];
      expect(shape(plan)).toEqual(shape(again));
    });
  });

  it('holds every observed operator exactly once, and besides only partial phases', () => {
    laws(({ graph, plan }) => {
      const placed = plan.vertices.flatMap(parts);
      expect(new Set(placed).size).toBe(placed.length);
      const wanted = graph.nodes
        .filter((node) => observed(graph, node.id))
        .map((node) => identityOf(node).uid);
      const added = placed.filter((uid) => !wanted.includes(uid));
      expect(wanted.filter((uid) => !placed.includes(uid))).toEqual([]);
      const partial = plan.vertices.flatMap((vertex) =>
        vertex.operators.flatMap(({ spec }) =>
          spec.kind === 'aggregate' && spec.phase === 'partial' ? [spec.uid] : [],
        ),
      );
      expect(added.sort()).toEqual(partial.sort());
    });
  });

  it('has edges that lead forward and agree with the vertices at both ends', () => {
    laws(({ plan }) => {
      for (const [index, edge] of plan.edges.entries()) {
        const from = plan.vertices[edge.from];
        const to = plan.vertices[edge.to];
        expect(edge.id).toBe(index);
        expect(edge.from).toBeLessThan(edge.to);
        expect(from?.outputs.filter((output) => output.edge === edge.id)).toHaveLength(1);
        expect(to?.inputs.filter((input) => input === edge.id)).toHaveLength(1);
        if (edge.partitioner.kind === 'forward') expect(from?.parallelism).toBe(to?.parallelism);
      }
      for (const vertex of plan.vertices) {
        expect(vertex.chainBreaks).toHaveLength(vertex.outputs.length);
        expect(vertex.chainBreaks.every((reason) => reason.endsWith('.'))).toBe(true);
        // A chain is fed by a source or by edges, never by both, and by one of them for certain.
        expect(vertex.inputs.length > 0).toBe(vertex.source === null);
      }
    });
  });

  it('feeds operators from what comes before them in their chain', () => {
    laws(({ plan }) => {
      for (const vertex of plan.vertices) {
        for (const [index, { input }] of vertex.operators.entries()) {
          expect(input).toBeGreaterThanOrEqual(-1);
          expect(input).toBeLessThan(index);
        }
        for (const { after } of [...vertex.sinks, ...vertex.outputs]) {
          expect(after).toBeLessThan(vertex.operators.length);
        }
      }
    });
  });

  it('puts subtask i of all vertices of a group into one slot, groups into others', () => {
    laws(({ plan }) => {
      const groupOfSlot = new Map<number, string>();
      const slotOf = new Map<string, number>();
      for (const vertex of plan.vertices) {
        expect(vertex.slots).toHaveLength(vertex.parallelism);
        if (isHost(vertex)) {
          expect(vertex.slots).toEqual([HOST_SLOT]);
          expect(vertex.operators).toEqual([]);
          continue;
        }
        for (const [subtask, slot] of vertex.slots.entries()) {
          const place = `${vertex.slotSharingGroup} ${subtask}`;
          expect(slotOf.get(place) ?? slot).toBe(slot);
          expect(groupOfSlot.get(slot) ?? place).toBe(place);
          slotOf.set(place, slot);
          groupOfSlot.set(slot, place);
        }
      }
      expect([...groupOfSlot.keys()].sort((a, b) => a - b)).toEqual(
        Array.from({ length: plan.slots }, (_, slot) => slot),
      );
    });
  });

  it('keeps keyed operators at the head of a chain, behind a hash of their keys', () => {
    laws(({ plan }) => {
      for (const vertex of plan.vertices) {
        for (const { spec, input } of vertex.operators) {
          if (!('keys' in spec) || ('phase' in spec && spec.phase === 'partial')) continue;
          expect(input).toBe(-1);
          for (const edge of vertex.inputs) {
            expect(plan.edges[edge]?.partitioner).toEqual({ kind: 'hash', keys: spec.keys });
          }
        }
      }
    });
  });
});
