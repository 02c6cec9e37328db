import { describe, expect, it } from 'vitest';
import { detailOf, fitted, zoomed } from '../../../src/console/graph-camera.js';
import {
  edgePath,
  labelPoint,
  neighbor,
  NODE_HEIGHT,
  NODE_WIDTH,
} from '../../../src/console/graph-drawing.js';
import { layoutOf } from '../../../src/console/graph-layout.js';

const DIAMOND = {
  ids: ['source', 'left', 'right', 'sink'],
  edges: [
    { from: 'source', to: 'left' },
    { from: 'source', to: 'right' },
    { from: 'left', to: 'sink' },
    { from: 'right', to: 'sink' },
  ],
};

describe('the layout of a graph', () => {
  it('goes from sources on the left to sinks on the right, and no nodes overlap', () => {
    const { nodes, width, height } = layoutOf(DIAMOND.ids, DIAMOND.edges);
    for (const { from, to } of DIAMOND.edges) {
      expect((nodes.get(to)?.x ?? 0) - (nodes.get(from)?.x ?? 0)).toBeGreaterThan(NODE_WIDTH);
    }
    const all = [...nodes.values()];
    for (const [index, a] of all.entries()) {
      expect(a.x + NODE_WIDTH / 2).toBeLessThanOrEqual(width);
      expect(a.y + NODE_HEIGHT / 2).toBeLessThanOrEqual(height);
      for (const b of all.slice(index + 1)) {
        const isApart = Math.abs(a.x - b.x) >= NODE_WIDTH || Math.abs(a.y - b.y) >= NODE_HEIGHT;
        expect(isApart).toBe(true);
      }
    }
  });

  it('has a path for every edge, also for both sides of a join and for loops', () => {
    const edges = [...DIAMOND.edges, { from: 'source', to: 'left' }, { from: 'sink', to: 'left' }];
    const layout = layoutOf(DIAMOND.ids, edges);
    expect(layout.edges).toHaveLength(edges.length);
    for (const [index, { from, to }] of edges.entries()) {
      const [a, b] = [layout.nodes.get(from), layout.nodes.get(to)];
      if (a === undefined || b === undefined) throw new Error('A node has no place.');
      expect(edgePath(a, b, layout.edges[index] ?? [])).toMatch(/^M[-\d.]+ [-\d.]+(C[-\d. ]+)+$/);
      expect(Number.isFinite(labelPoint(a, b, layout.edges[index] ?? []).x)).toBe(true);
    }
  });

  it('leads arrow keys to the nearest node ahead', () => {
    const { nodes } = layoutOf(DIAMOND.ids, DIAMOND.edges);
    expect(neighbor(nodes, 'sink', { x: 1, y: 0 })).toBeNull();
    expect(['left', 'right']).toContain(neighbor(nodes, 'source', { x: 1, y: 0 }));
    const [upper, lower] = ['left', 'right'].toSorted(
      (a, b) => (nodes.get(a)?.y ?? 0) - (nodes.get(b)?.y ?? 0),
    );
    expect(neighbor(nodes, upper ?? '', { x: 0, y: 1 })).toBe(lower);
    expect(neighbor(nodes, lower ?? '', { x: 0, y: -1 })).toBe(upper);
  });
});

describe('the camera', () => {
  it('shows all of a drawing in the middle, never larger than it is', () => {
    const view = { width: 1000, height: 500 };
    expect(fitted({ width: 2000, height: 500 }, view)).toEqual({ scale: 0.5, left: 0, top: 125 });
    expect(fitted({ width: 100, height: 100 }, view)).toEqual({ scale: 1, left: 450, top: 200 });
  });

  it('zooms about the pointer, within bounds', () => {
    const camera = { scale: 1, left: 10, top: 20 };
    const nearer = zoomed(camera, 2, 110, 220);
    expect((110 - nearer.left) / nearer.scale).toBeCloseTo(100);
    expect((220 - nearer.top) / nearer.scale).toBeCloseTo(200);
    expect(zoomed(camera, 1e9, 0, 0).scale).toBe(2);
    expect(zoomed(camera, 1e-9, 0, 0).scale).toBe(0.04);
  });

  it('shows less of what is small', () => {
    expect([0.1, 0.5, 1].map(detailOf)).toEqual(['far', 'mid', 'near']);
  });
});
