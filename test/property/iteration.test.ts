/**
 * Loops under seeded schedulers, with frames of a row or two and one batch in flight between two subtasks: connected
 * components of random graphs against union-find, in two ways, and that every such loop ends.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Flow, job, min, type Stream, tumbling } from '../../src/index.js';
import { collectSink } from '../../src/index.js';
import { runOnArrays } from '../../src/testing.js';

interface Edge {
  readonly from: number;
  readonly to: number;
}
interface Label {
  readonly vertex: number;
  readonly label: number;
}

// The model -----------------------------------------------------------------------------------------------------------

/** The least vertex of the component of each vertex. */
function unionFind(edges: readonly Edge[]): ReadonlyMap<number, number> {
  const parents = new Map<number, number>();
  const root = (vertex: number): number => {
    const parent = parents.get(vertex) ?? vertex;
    return parent === vertex ? vertex : root(parent);
  };
  for (const { from, to } of edges) {
    const [a, b] = [root(from), root(to)].toSorted((x, y) => x - y);
    for (const vertex of [from, to]) if (!parents.has(vertex)) parents.set(vertex, vertex);
    parents.set(b, a);
  }
  return new Map([...parents.keys()].map((vertex) => [vertex, root(vertex)]));
}

// The jobs ------------------------------------------------------------------------------------------------------------

const labelsOf = (edges: Stream<Edge>): Stream<Label> =>
  edges.flatMap(({ from, to }) => [
    { vertex: from, label: from },
    { vertex: to, label: to },
  ]);
const bothWays = (edges: Stream<Edge>): Stream<Edge> =>
  edges.flatMap(({ from, to }) => [
    { from, to },
    { from: to, to: from },
  ]);

/** A vertex tells its neighbours whenever it learns of a lesser label, at once. */
function byMessages(flow: Flow): Stream<Label> {
  const edges = flow.from<Edge>([], { uid: 'edges' });
  return labelsOf(edges)
    .iterate<Label>((labels) => {
      const learnt = labels
        .keyBy('vertex')
        .connect(bothWays(edges).keyBy('from'))
        .process<Label>(({ state }) => {
          const least = state.value<number>({ name: 'least' });
          const neighbours = state.list<number>({ name: 'neighbours' });
          return {
            processElement({ vertex, label }, { collect }) {
              if (label >= (least.value() ?? Number.POSITIVE_INFINITY)) return;
              least.update(label);
              collect({ vertex, label });
              for (const neighbour of neighbours.get()) collect({ vertex: neighbour, label });
            },
            processElement2({ from, to }, { collect }) {
              neighbours.add(to);
              collect({ vertex: to, label: least.value() ?? from });
            },
          };
        });
      return { feedback: learnt, output: learnt };
    })
    .keyBy('vertex')
    .aggregate({ label: min('label') }, { emit: 'final' });
}

/** In each round the labels that a vertex was given are first reduced to the least. */
function byRounds(flow: Flow): Stream<Label> {
  const edges = flow.from<Edge>([], { uid: 'edges' });
  return labelsOf(edges)
    .iterate<Label>((labels) => {
      const least = labels
        .keyBy('vertex')
        .window(tumbling(1))
        .aggregate({ label: min('label') })
        .keyBy('vertex')
        .process<Label>(({ state }) => {
          const known = state.value<number>({ name: 'known' });
          return {
            processElement({ vertex, label }, { collect }) {
              if (label >= (known.value() ?? Number.POSITIVE_INFINITY)) return;
              known.update(label);
              collect({ vertex, label });
            },
          };
        });
      const told = least
        .keyBy('vertex')
        .join(bothWays(edges).keyBy('from'))
        .apply(({ label }, { to }) => ({ vertex: to, label }));
      return { feedback: told, output: least };
    })
    .keyBy('vertex')
    .aggregate({ label: min('label') }, { emit: 'final' });
}

const edges = fc.array(fc.record({ from: fc.nat(25), to: fc.nat(25) }), {
  minLength: 1,
  maxLength: 40,
});

for (const [name, components] of Object.entries({ byMessages, byRounds })) {
  it(`connected components ${name} are those of union-find, whatever the schedule`, async () => {
    const found = collectSink<Label>();
    const definition = job(name, (flow) => components(flow).to(found, { uid: 'found' }));
    const property = fc.asyncProperty(
      edges,
      fc.integer({ min: 1, max: 4 }),
      fc.nat(2 ** 30),
      async (graph, parallelism, seed) => {
        const run = await runOnArrays(definition, {
          sources: { edges: graph },
          parallelism,
          seed,
          settings: { 'exchange.batchRows': 1 + (seed % 3) },
        });
        const labels = run.records<Label>();
        const sorted = labels.map(({ vertex, label }) => [vertex, label]);
        expect(sorted.toSorted(([a], [b]) => a - b)).toEqual(
          [...unionFind(graph)].toSorted(([a], [b]) => a - b),
        );
      },
    );
    await fc.assert(property, { numRuns: 100 });
  });
}
