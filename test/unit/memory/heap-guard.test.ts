import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../../src/base/errors.js';
import { HeapGuard } from '../../../src/memory/heap-guard.js';
import { type HeapProbe, threadHeapProbe } from '../../../src/memory/heap-probe.js';

/** A heap of `live` bytes under `garbage` bytes that the next collection frees. */
class SimulatedHeap implements HeapProbe {
  live = 0;
  garbage = 0;
  external = 0;
  samples = 0;
  collections = 0;

  sample() {
    this.samples++;
    return {
      usedHeapBytes: this.live + this.garbage,
      heldHeapBytes: 1000,
      heapLimitBytes: 1000,
      externalBytes: this.external,
    };
  }

  collect(): void {
    this.collections++;
    this.garbage = 0;
  }
}

function newGuard(probe: HeapProbe, externalBytes: number | null = null): HeapGuard {
  return new HeapGuard({ slot: 2, heapBytes: 1000, externalBytes, probe, framesPerSample: 4 });
}

function failureOf(action: () => void): MillraceError {
  try {
    action();
  } catch (error) {
    if (MillraceError.is(error)) return error;
  }
  throw new Error('It did not fail with a code.');
}

describe('HeapGuard', () => {
  it('samples every so many frames', () => {
    const heap = new SimulatedHeap();
    const guard = newGuard(heap);
    for (let frame = 0; frame < 40; frame++) guard.frameDone('map');
    expect(heap.samples).toBe(1 + 10);
    expect(heap.collections).toBe(0);
  });

  it('fails with slot and operator when live objects reach 85 % of the budget', () => {
    const heap = new SimulatedHeap();
    const guard = newGuard(heap);
    heap.live = 849;
    guard.check('map');
    heap.live = 850;
    const error = failureOf(() => {
      for (let frame = 0; frame < 4; frame++) guard.frameDone('collect-all');
    });
    expect(error.code).toBe('MEMORY_EXHAUSTED');
    expect(error.message).toContain('Slot 2');
    expect(error.message).toContain('collect-all');
    expect(error.where.operator).toBe('collect-all');
    expect(error.advice).toContain('slot.memory');
  });

  it('does not fail for garbage, and does not collect again before there is reason to', () => {
    const heap = new SimulatedHeap();
    const guard = newGuard(heap);
    heap.live = 800;
    heap.garbage = 150;
    guard.check('map');
    expect([heap.collections, guard.sample.usedHeapBytes]).toEqual([1, 800]);
    heap.garbage = 60;
    guard.check('map');
    expect(heap.collections).toBe(1);
    heap.garbage = 120;
    guard.check('map');
    expect(heap.collections).toBe(2);
  });

  it('fails for buffers outside the heap when they have a bound', () => {
    const heap = new SimulatedHeap();
    heap.external = 5000;
    newGuard(heap).check('map');
    const error = failureOf(() => newGuard(heap, 5000).check('sort'));
    expect(error.code).toBe('MEMORY_EXHAUSTED');
    expect(error.advice).toContain('slot.managedFraction');
  });
});

describe('threadHeapProbe', () => {
  it('tells live objects from garbage', () => {
    const probe = threadHeapProbe();
    probe.collect();
    const before = probe.sample();
    let objects: object[] | null = Array.from({ length: 300_000 }, (_, index) => ({ index }));
    const full = probe.sample();
    expect(full.usedHeapBytes - before.usedHeapBytes).toBeGreaterThan(4_000_000);
    expect(objects.length).toBe(300_000);
    objects = null;
    probe.collect();
    const after = probe.sample();
    expect(full.usedHeapBytes - after.usedHeapBytes).toBeGreaterThan(4_000_000);
    expect(after.heapLimitBytes).toBeGreaterThan(after.usedHeapBytes);
    expect('gc' in globalThis).toBe(false);
  });

  it('counts the buffers of its thread but not shared ones', () => {
    const probe = threadHeapProbe();
    const before = probe.sample().externalBytes;
    const shared = new SharedArrayBuffer(50_000_000);
    expect(probe.sample().externalBytes - before).toBeLessThan(10_000_000);
    const own = new ArrayBuffer(50_000_000);
    expect(probe.sample().externalBytes - before).toBeGreaterThan(40_000_000);
    expect(shared.byteLength + own.byteLength).toBe(100_000_000);
  });

  it('counts no buffers of which nobody has hold after a collection', () => {
    const probe = threadHeapProbe();
    probe.collect();
    const before = probe.sample().externalBytes;
    let own: ArrayBuffer[] | null = Array.from({ length: 50 }, () => new ArrayBuffer(1_000_000));
    expect(probe.sample().externalBytes - before).toBeGreaterThan(40_000_000);
    expect(own.length).toBe(50);
    own = null;
    probe.collect();
    expect(probe.sample().externalBytes - before).toBeLessThan(10_000_000);
  });

  it('is about one thread only', async () => {
    const probe = threadHeapProbe();
    probe.collect();
    const before = probe.sample().usedHeapBytes;
    const worker = new Worker(
      `const held = Array.from({ length: 2e6 }, (_, index) => ({ index }));
       require('node:worker_threads').parentPort.postMessage(held.length);`,
      { eval: true },
    );
    await new Promise((resolve) => worker.once('message', resolve));
    expect(probe.sample().usedHeapBytes - before).toBeLessThan(20_000_000);
    await worker.terminate();
  });
});
