/**
 * What a process takes of its machine. Callers: the snapshot of a run's metrics, the server. Runs on: any thread; what
 * it tells is of the whole process, but for the heap, which is that of the calling thread.
 */
import { availableParallelism } from 'node:os';
import { getHeapStatistics } from 'node:v8';

/** A process at one moment. */
export interface ProcessUsage {
  /** Since it began, in user and system mode, of all threads. */
  readonly cpuMs: number;
  readonly upMs: number;
  readonly cores: number;
  readonly heapUsedBytes: number;
  readonly heapCommittedBytes: number;
  readonly heapMaxBytes: number;
  /** Of objects outside of the heap, array buffers among them. */
  readonly externalBytes: number;
  readonly bufferBytes: number;
  readonly residentBytes: number;
}

/** Looks at this process. */
export function processUsage(): ProcessUsage {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, heapTotal, external, arrayBuffers } = process.memoryUsage();
  return {
    cpuMs: (user + system) / 1000,
    upMs: process.uptime() * 1000,
    cores: availableParallelism(),
    heapUsedBytes: heapUsed,
    heapCommittedBytes: heapTotal,
    heapMaxBytes: getHeapStatistics().heap_size_limit,
    externalBytes: external,
    bufferBytes: arrayBuffers,
    residentBytes: rss,
  };
}
