/**
 * Where the chains of a job are drawn: from sources on the left to sinks on the right. Callers: the graph's screen,
 * which loads it late. Runs on: the page's thread; pure.
 */
import { Graph, layout } from '@dagrejs/dagre';
import {
  type EdgeEnds,
  type GraphLayout,
  NODE_HEIGHT,
  NODE_WIDTH,
  type Point,
} from './graph-drawing.js';

/** Lays a graph out. */
export function layoutOf(ids: readonly string[], edges: readonly EdgeEnds[]): GraphLayout {
  const graph = new Graph({ multigraph: true });
  graph.setGraph({ rankdir: 'LR', nodesep: 28, ranksep: 148, marginx: 24, marginy: 24 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const id of ids) graph.setNode(id, { width: NODE_WIDTH, height: NODE_HEIGHT });
  for (const [index, { from, to }] of edges.entries()) graph.setEdge(from, to, {}, String(index));
  layout(graph);
  const { width = 0, height = 0 } = graph.graph();
  return {
    nodes: new Map(ids.map((id) => [id, pointOf(graph.node(id))])),
    edges: edges.map(({ from, to }, index) => {
      const { points = [] } = graph.edge(from, to, String(index)) ?? {};
      return points.map(pointOf);
    }),
    width,
    height,
  };
}

function pointOf({ x = 0, y = 0 }: { readonly x?: number; readonly y?: number }): Point {
  return { x, y };
}
