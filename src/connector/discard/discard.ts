/**
 * The sink that throws records away, for measuring what comes before it. Callers: the api,
 * benchmarks. Runs on: the slot's thread. Invariant: it takes every row at once.
 */
import type { Batch } from '../../record/batch.js';
import type { Committable, SinkConnector, SinkWriter } from '../contract.js';

/**
 * A sink that keeps nothing.
 *
 * @example
 * stream.to(discard())
 */
export function discard<T = unknown>(): SinkConnector<T> {
  return {
    kind: 'sink',
    type: 'discard',
    name: 'discard',
    host: false,
    parallelism: null,
    guarantee: 'exactly-once',
    columns: null,
    plan: () => null,
    open: () => new DiscardWriter(),
  };
}

class DiscardWriter implements SinkWriter {
  readonly bytesWritten = 0;

  write(batch: Batch, fromRow: number): number {
    return batch.rows - fromRow;
  }

  flush(): boolean {
    return true;
  }

  prepareCommit(): readonly Committable[] {
    return [];
  }

  close(): void {}
}
