/**
 * Sets counters back to where they begin. Callers: the runtime, when a part of a run begins again. Runs on: the
 * caller's thread, while nobody writes them.
 */
import {
  CHANNEL_BLOCK_BYTES,
  channelOffset,
  TASK_BLOCK_BYTES,
  taskOffset,
} from './metrics-layout.js';
import { DIRECTORY_WORDS } from './metric-directory-layout.js';
import { type MeteredPlan, RunMetrics } from './run-metrics.js';

/** Clears those of some vertices and of the channels that leave them; `from` is by channel. */
export function clearMetrics(
  memory: SharedArrayBuffer,
  plan: MeteredPlan,
  from: readonly number[],
  isCleared: (vertex: number) => boolean,
): void {
  const numbers = new RunMetrics(memory, plan, from.length);
  const bytes = new Uint8Array(memory);
  for (const [vertex, { parallelism }] of plan.vertices.entries()) {
    if (!isCleared(vertex)) continue;
    for (let subtask = 0; subtask < parallelism; subtask++) {
      const offset = taskOffset(numbers.taskIndex(vertex, subtask));
      bytes.fill(0, offset, offset + TASK_BLOCK_BYTES);
    }
  }
  for (const [channel, vertex] of from.entries()) {
    if (!isCleared(vertex)) continue;
    const offset = channelOffset(numbers.subtasks, channel);
    bytes.fill(0, offset, offset + CHANNEL_BLOCK_BYTES);
  }
}

/** Forgets what functions have registered, in directories of so many bytes each. Memory that nobody used stays so. */
export function clearUserMetrics(memory: SharedArrayBuffer, bytesEach: number): void {
  for (let offset = 0; offset < memory.byteLength; offset += bytesEach) {
    const isUsed = new Int32Array(memory, offset)[DIRECTORY_WORDS.count] > 0;
    if (isUsed) new Uint8Array(memory, offset, bytesEach).fill(0);
  }
}
