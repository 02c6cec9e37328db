/**
 * Builds the engine's graph of a simulated job with the public api. Runs on: the test's thread.
 */
import { avg, count, countDistinct, max, min, sum } from '../../src/api/aggregates.js';
import type { Flow } from '../../src/api/flow.js';
import type { KeyedStream } from '../../src/api/keyed-stream.js';
import type { Stream } from '../../src/api/stream.js';
import type { SinkConnector, SourceConnector } from '../../src/connector/contract.js';
import { col } from '../../src/operator/expression-builder.js';
import { failing } from './reference-model.js';
import { type Deal, keyNames, type SimNode } from './sim-job.js';
import {
  combine,
  FILTERS,
  FLAT_MAPS,
  fromAggregate,
  keyOf,
  KEYS_ONLY,
  MAPS,
  type Rec,
} from './sim-records.js';

/** Where the nodes of a job get their connectors from. */
export interface SimConnectors {
  source(node: SimNode & { kind: 'source' }): SourceConnector<Rec>;
  sink(node: SimNode & { kind: 'sink' }): SinkConnector;
}

/** Builds the nodes in order. */
export function buildFlow(flow: Flow, nodes: readonly SimNode[], connectors: SimConnectors): void {
  const streams: (Stream<Rec> | null)[] = [];
  for (const node of nodes) {
    if (node.kind === 'source') {
      streams.push(flow.from(connectors.source(node), optionsOf(node)));
      continue;
    }
    const inputs = node.inputs.map((input) => {
      const stream = streams[input.node];
      if (stream === null || stream === undefined)
        throw new Error('An input is an earlier stream.');
      return dealt(stream, input.deal);
    });
    const [first, ...others] = inputs;
    const input = others.length === 0 ? first : (first.union(...others) as Stream<Rec>);
    streams.push(apply(node, input, connectors));
  }
}

function optionsOf(node: SimNode): {
  name: string;
  uid: string;
  parallelism: number;
  chain: SimNode['chain'];
} {
  const name = `${node.kind}-${node.id}`;
  return { name, uid: name, parallelism: node.parallelism, chain: node.chain };
}

function dealt(stream: Stream<Rec>, deal: Deal): Stream<Rec> {
  if (deal === null) return stream;
  if (deal === 'custom') return stream.partitionBy((r, parallelism) => r.id % parallelism);
  return stream[deal]();
}

function apply(node: SimNode, input: Stream<Rec>, connectors: SimConnectors): Stream<Rec> | null {
  const options = optionsOf(node);
  switch (node.kind) {
    case 'map':
      return input.map(failing(node, MAPS[node.fn]), options);
    case 'filter':
      return input.filter(failing(node, FILTERS[node.fn]), options);
    case 'flatMap':
      return input.flatMap(failing(node, FLAT_MAPS[node.fn]), options);
    case 'where':
      return input.filter(WHERE[node.test], options);
    case 'select':
      return selected(node, input) as Stream<Rec>;
    case 'normal':
      return input.map(fromAggregate, options);
    case 'keysOnly':
      return input.map(KEYS_ONLY[node.by], options);
    case 'aggregate':
      return aggregated(node, keyed(node, input)) as Stream<Rec>;
    case 'reduce':
      return keyed(node, input).reduce(combine, { ...options, emit: node.emit });
    case 'distinct':
      return input.distinct(...keyNames(node.by)) as Stream<Rec>;
    case 'sink':
      input.to(connectors.sink(node), options);
      return null;
    default:
      throw new Error(`There is no node ${node.kind} with inputs.`);
  }
}

const WHERE = {
  v: col('v').gt(0),
  k: col('k').mod(2).eq(0),
  s: col('s').ne('a'),
  o: col('o').gt(40),
};

function keyed(
  node: SimNode & { readonly by: 'k' | 's' | 'ks' | 'fn' },
  input: Stream<Rec>,
): KeyedStream<Rec, unknown> {
  if (node.by === 'fn') return input.keyBy(keyOf, { parallelism: node.parallelism });
  if (node.by === 'ks') return input.keyBy('k', 's');
  return input.keyBy(node.by);
}

function selected(node: SimNode & { kind: 'select' }, input: Stream<Rec>): Stream<unknown> {
  const e = col('v').mul(2).add(col('k'));
  const columns = { id: 'id', k: 'k', s: 's', v: 'v', e } as const;
  if (node.withO) return input.select({ ...columns, o: 'o' }, optionsOf(node));
  return input.select(columns, optionsOf(node));
}

function aggregated(
  node: SimNode & { kind: 'aggregate' },
  stream: KeyedStream<Rec, unknown>,
): Stream<unknown> {
  const options = { ...optionsOf(node), emit: node.emit };
  if (node.set === 'count') return stream.aggregate({ n: count() }, options);
  const basic = { n: count(), total: sum('v'), low: min('v'), high: max('s') };
  if (node.set === 'basic') return stream.aggregate(basic, options);
  const evens = count().where(col('k').mod(2).eq(0));
  const rich = { ...basic, mean: avg('v'), evens, texts: countDistinct('s') };
  if (!node.withO) return stream.aggregate(rich, options);
  return stream.aggregate({ ...rich, known: count('o'), least: min('o') } as typeof rich, options);
}
