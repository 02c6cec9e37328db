import { describe, expect, it } from 'vitest';
import { viewModel } from '../../../src/runtime/view-model.js';
import { edge, slowAggregation, vertex } from '../cli/metrics-fixtures.js';

describe('the view of a whole run', () => {
  it('has average rates and shares of the time of all subtasks', () => {
    const [source, aggregation] = viewModel(slowAggregation(), null).chains;
    expect(source).toMatchObject({ rows: 3_000_000, rowsPerSecond: 1_500_000 });
    expect(source?.bytesPerSecond).toBe(75_000_000);
    expect(source?.shares).toEqual({ busy: 0.275, blocked: 0.625, idle: 0.025 });
    expect(aggregation?.shares.busy).toBeCloseTo(0.94);
  });

  it('estimates the time left from the share of the input that is read', () => {
    const { progress } = viewModel(slowAggregation(), null);
    expect(progress.share).toBe(0.75);
    expect(progress.leftMs).toBeCloseTo(2000 / 3);
    expect(progress.rows).toBe(3_000_000);
  });

  it('shows the bytes a chain gives when it takes none', () => {
    const vertices = [vertex({ id: 0, name: 'datagen', isSource: true }, [{ bytesOut: 500 }])];
    const [chain] = viewModel({ elapsedMs: 1000, vertices, edges: [], process: null }, null).chains;
    expect(chain).toMatchObject({ bytes: 500, bytesPerSecond: 500 });
  });
});

describe('the view of a span', () => {
  it('counts only what happened in it', () => {
    const now = slowAggregation();
    const before = {
      ...now,
      elapsedMs: 1000,
      vertices: now.vertices.map((one) => ({
        ...one,
        rowsIn: one.rowsIn / 2,
        subtasks: one.subtasks.map((task) => ({ ...task, busyMs: task.busyMs / 2 })),
      })),
    };
    const [source, aggregation] = viewModel(now, before).chains;
    expect(source?.rowsPerSecond).toBe(1_500_000);
    expect(source?.rows).toBe(3_000_000);
    expect(aggregation?.shares.busy).toBeCloseTo(0.94);
    expect(aggregation?.shares.blocked).toBe(0);
  });

  it('names the subtask that gets most of the rows', () => {
    const vertices = [vertex({ id: 0, name: 'a' }, [{ rowsIn: 10 }, { rowsIn: 90 }])];
    const [chain] = viewModel({ elapsedMs: 1, vertices, edges: [], process: null }, null).chains;
    expect(chain?.busiest).toEqual({ subtask: 1, rowsShare: 0.9 });
  });
});

describe('progress', () => {
  it('is that of the source that is furthest from its end', () => {
    const vertices = [
      vertex({ id: 0, name: 'a', isSource: true, rowsTotal: 100 }, [{ rowsIn: 100 }]),
      vertex({ id: 1, name: 'b', isSource: true, rowsTotal: 100 }, [{ rowsIn: 20 }]),
    ];
    const { progress } = viewModel({ elapsedMs: 1000, vertices, edges: [], process: null }, null);
    expect(progress.share).toBe(0.2);
    expect(progress.leftMs).toBe(4000);
  });

  it('goes by rows where they are known, since unused columns of a file are never read', () => {
    const sizes = { bytesTotal: 1000, rowsTotal: 10 };
    const source = vertex({ id: 0, name: 'a', isSource: true, ...sizes }, [
      { rowsIn: 10, bytesIn: 400 },
    ]);
    const model = viewModel({ elapsedMs: 1, vertices: [source], edges: [], process: null }, null);
    expect(model.progress).toMatchObject({ share: 1, leftMs: null });
  });

  it('is unknown when one source does not know its size, and never above 1', () => {
    const known = vertex({ id: 0, name: 'a', isSource: true, bytesTotal: 10 }, [{ bytesIn: 15 }]);
    const endless = vertex({ id: 1, name: 'b', isSource: true }, [{ rowsIn: 1 }]);
    const model = viewModel(
      { elapsedMs: 1, vertices: [known, endless], edges: [], process: null },
      null,
    );
    expect(model.progress.share).toBeNull();
    const alone = viewModel({ elapsedMs: 1, vertices: [known], edges: [], process: null }, null);
    expect(alone.progress).toMatchObject({ share: 1, leftMs: null });
  });

  it('gives the fill of edges, none for those inside a slot', () => {
    const edges = [edge({ queuedBytes: 500 }), edge({ capacityBytes: 0 })];
    const model = viewModel({ elapsedMs: 1, vertices: [], edges, process: null }, null);
    expect(model.edges.map((one) => one.fill)).toEqual([0.5, 0]);
  });

  it('gives the rates of edges, and none while the counters of a new attempt are behind', () => {
    const of = (rows: number, elapsedMs: number) => {
      return { elapsedMs, vertices: [], edges: [edge({ rows, bytes: 10 * rows })], process: null };
    };
    const [one] = viewModel(of(500, 3000), of(100, 1000)).edges;
    expect(one).toMatchObject({ rowsPerSecond: 200, bytesPerSecond: 2000 });
    expect(viewModel(of(5, 3000), of(100, 1000)).edges[0]?.rowsPerSecond).toBe(0);
  });
});
