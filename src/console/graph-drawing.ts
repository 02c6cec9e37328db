/**
 * The geometry of a drawn graph: sizes of nodes, paths of edges, ways between nodes. Callers: the layout, the graph.
 * Runs on: the page's thread; pure.
 */

/** Of every node. */
export const NODE_WIDTH = 244;
export const NODE_HEIGHT = 76;

/** A place in the drawing, in its own units. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** An edge by its ends. */
export interface EdgeEnds {
  readonly from: string;
  readonly to: string;
}

/** A drawing. */
export interface GraphLayout {
  /** Middles of the nodes, by their ids. */
  readonly nodes: ReadonlyMap<string, Point>;
  /** In the order of the edges: the points that each passes. */
  readonly edges: readonly (readonly Point[])[];
  readonly width: number;
  readonly height: number;
}

/** A smooth path from the right side of a node to the left side of the next, through points between them. */
export function edgePath(from: Point, to: Point, points: readonly Point[]): string {
  const start = { x: from.x + NODE_WIDTH / 2, y: from.y };
  const end = { x: to.x - NODE_WIDTH / 2, y: to.y };
  const between = points.slice(1, -1).filter(({ x }) => x > start.x && x < end.x);
  let path = `M${start.x} ${start.y}`;
  let last = start;
  for (const next of [...between, end]) {
    const middle = (last.x + next.x) / 2;
    path += `C${middle} ${last.y} ${middle} ${next.y} ${next.x} ${next.y}`;
    last = next;
  }
  return path;
}

/** The middle of an edge, where its numbers stand. */
export function labelPoint(from: Point, to: Point, points: readonly Point[]): Point {
  const inner = points.slice(1, -1);
  const middle = inner[Math.floor((inner.length - 1) / 2)];
  if (middle !== undefined && inner.length > 1) return middle;
  return { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 };
}

/** The node that an arrow key leads to: the nearest one in that direction; null for none. */
export function neighbor(
  nodes: ReadonlyMap<string, Point>,
  from: string,
  direction: Point,
): string | null {
  const here = nodes.get(from);
  if (here === undefined) return null;
  let best: string | null = null;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const [id, { x, y }] of nodes) {
    const ahead = (x - here.x) * direction.x + (y - here.y) * direction.y;
    const aside = Math.abs((x - here.x) * direction.y) + Math.abs((y - here.y) * direction.x);
    if (id === from || ahead <= 1) continue;
    const distance = ahead + 2 * aside;
    if (distance >= bestDistance) continue;
    best = id;
    bestDistance = distance;
  }
  return best;
}
