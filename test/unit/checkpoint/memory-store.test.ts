import { describe, expect, it } from 'vitest';
import type { CheckpointManifest } from '../../../src/checkpoint/contract.js';
import { MemoryStore } from '../../../src/checkpoint/memory-store.js';

function manifest(id: number, bytes: number): CheckpointManifest {
  const state = { uid: 'sums', name: 'totals', keyGroup: 0, isChanges: false, subtask: 0 };
  return {
    id,
    kind: 'checkpoint',
    timestampMs: id,
    jobId: 'job',
    jobName: 'job',
    attempt: 1,
    params: null,
    operators: [],
    sources: [],
    sinks: [],
    pieces: [{ ...state, at: { bytes: new Uint8Array(bytes).fill(id) } }],
    files: [],
  };
}

describe('MemoryStore', () => {
  it('keeps what was completed until it is disposed of', () => {
    const store = new MemoryStore();
    expect(store.latest()).toBeNull();
    for (const id of [1, 2, 3]) {
      store.begin(id);
      if (id === 2) store.discard(id);
      else expect(store.complete(manifest(id, 4))).toBe(`memory:chk-${id}`);
    }
    expect(store.lastId).toBe(3);
    expect(store.retained).toEqual([
      { id: 3, path: 'memory:chk-3' },
      { id: 1, path: 'memory:chk-1' },
    ]);
    const { manifest: latest, reader } = store.latest()!;
    expect(latest.pieces.map((piece) => [...reader.read(piece)])).toEqual([[3, 3, 3, 3]]);
    store.dispose(3);
    expect(store.latest()?.manifest.id).toBe(1);
    store.close();
    expect(store.retained).toEqual([]);
  });

  it('refuses more state than it may hold, and says what to do', () => {
    const store = new MemoryStore(100);
    store.begin(1);
    expect(() => store.complete(manifest(1, 101))).toThrow(
      expect.objectContaining({
        code: 'MEMORY_EXHAUSTED',
        advice: expect.stringContaining('execution.checkpointing.dir'),
      }),
    );
    expect(store.complete(manifest(1, 100))).toBe('memory:chk-1');
  });
});
