import { describe, expect, it } from 'vitest';
import type { SourceInput } from '../../../src/api/flow.js';
import { FLIGHT_SCHEMA, graphOf, sink, source } from '../graph/graph-fixtures.js';

const sourceOf = (input: SourceInput<unknown>) => {
  const node = graphOf((flow) => flow.from(input).to(sink())).nodes[0];
  if (node?.kind !== 'source') throw new Error('The first node is the source.');
  return node;
};

describe('flow.from', () => {
  it('takes a connector as it is, named as it names itself', () => {
    const connector = source();
    const node = sourceOf(connector);
    expect(node.connector).toBe(connector);
    expect(node.identity.name).toBe('flights');
    expect(node.identity.createdAt).toMatch(/flow\.test\.ts:\d+:\d+$/);
  });

  it('wraps arrays and whatever can be iterated into sources of the caller’s thread', () => {
    async function* slow() {
      yield 1;
    }
    function* quick() {
      yield 1;
    }
    for (const input of [[1, 2], new Set([1]), quick(), slow()]) {
      const { connector } = sourceOf(input);
      expect(connector.kind).toBe('source');
      expect(connector.bounded).toBe(true);
    }
  });

  it('keeps a declared schema', () => {
    const [node] = graphOf((flow) => {
      flow.from(source(), { schema: FLIGHT_SCHEMA, uid: 'in' }).to(sink());
    }).nodes;
    expect(node).toMatchObject({ schema: FLIGHT_SCHEMA, identity: { uid: 'in' } });
  });

  it.each([
    ['a path', 'flights.csv', /cannot read the text "flights\.csv"/],
    ['a number', 42, /cannot read number/],
    ['nothing', undefined, /cannot read undefined/],
    ['null', null, /cannot read null/],
    ['a sink', sink(), /cannot read object/],
  ])('refuses %s', (_what, input, message) => {
    expect(() => sourceOf(input as never)).toThrow(message);
  });
});
