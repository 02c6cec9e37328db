import { describe, expect, it } from 'vitest';
import { bottleneck } from '../../../src/runtime/bottleneck.js';
import type { ChainView, EdgeView } from '../../../src/runtime/view-model.js';

function chain(id: number, part: Partial<ChainView>): ChainView {
  return {
    id,
    name: `chain ${id}`,
    parallelism: 1,
    isSource: id === 0,
    rows: 1000,
    rowsPerSecond: 1000,
    bytes: 0,
    bytesPerSecond: 0,
    shares: { busy: 0.1, blocked: 0, idle: 0.9 },
    busiest: null,
    ...part,
  };
}

function verdictOf(chains: readonly ChainView[], edges: readonly EdgeView[] = [], slots = 2) {
  const progress = {
    elapsedMs: 1000,
    rows: 0,
    bytes: 0,
    rowsPerSecond: 0,
    share: null,
    leftMs: null,
    badRecords: 0,
  };
  return bottleneck({ chains, edges, progress }, slots);
}

const hash = (from: number, to: number, fill: number): EdgeView => {
  return { from, to, fill, partitioner: 'hash', rowsPerSecond: 0, bytesPerSecond: 0 };
};

describe('the bottleneck', () => {
  it('is the first busy chain after those that wait for it', () => {
    const chains = [
      chain(0, { shares: { busy: 0.3, blocked: 0.7, idle: 0 } }),
      chain(1, { shares: { busy: 0.2, blocked: 0.8, idle: 0 } }),
      chain(2, { shares: { busy: 0.4, blocked: 0, idle: 0 }, name: 'slow -> map -> csv' }),
      chain(3, { shares: { busy: 0.45, blocked: 0, idle: 0.5 } }),
    ];
    const edges = [hash(0, 1, 0.9), hash(1, 2, 0.9), hash(2, 3, 0)];
    expect(verdictOf(chains, edges)).toEqual({
      chain: 2,
      sentence: '"slow → … → csv" sets the pace: busy 40 % of the time',
    });
  });

  it('is found by full rings too', () => {
    const chains = [chain(0, {}), chain(1, { shares: { busy: 0.2, blocked: 0, idle: 0 } })];
    expect(verdictOf(chains, [hash(0, 1, 0.8)])?.chain).toBe(1);
  });

  it('may be the source', () => {
    const chains = [chain(0, { shares: { busy: 0.9, blocked: 0, idle: 0 } }), chain(1, {})];
    expect(verdictOf(chains, [hash(0, 1, 0.1)])?.sentence).toBe(
      'The source "chain 0" sets the pace: busy 90 % of the time',
    );
  });

  it('may be one subtask that gets most of the rows', () => {
    const skewed = { subtask: 3, rowsShare: 0.7 };
    const shares = { busy: 0.3, blocked: 0, idle: 0.6 };
    const chains = [
      chain(0, { shares: { busy: 0.1, blocked: 0.8, idle: 0 } }),
      chain(1, { shares, parallelism: 4, busiest: skewed }),
    ];
    expect(verdictOf(chains, [hash(0, 1, 0.6)])?.sentence).toBe(
      '"chain 1" sets the pace: subtask 3 of 4 gets 70 % of its rows',
    );
  });

  it('is the processor when all slots are busy with several chains', () => {
    const shares = { busy: 0.46, blocked: 0, idle: 0 };
    const chains = [
      chain(0, { shares, parallelism: 2 }),
      chain(1, { shares: { ...shares, busy: 0.48 }, parallelism: 2 }),
    ];
    expect(verdictOf(chains)?.sentence).toBe('The slots are 94 % busy, most of it in "chain 1"');
  });

  it('is the input when the source waits', () => {
    const chains = [chain(0, { shares: { busy: 0.02, blocked: 0, idle: 0.95 } }), chain(1, {})];
    expect(verdictOf(chains)?.sentence).toBe('"chain 0" waits for input 95 % of the time');
  });

  it('is not guessed before anything has happened', () => {
    const quiet = { rowsPerSecond: 0, shares: { busy: 0, blocked: 0, idle: 0.1 } };
    expect(verdictOf([chain(0, quiet), chain(1, quiet)])).toBeNull();
    expect(verdictOf([])).toBeNull();
  });
});
