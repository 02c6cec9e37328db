/**
 * Key groups: the unit in which keyed state is dealt to subtasks and moved on rescaling, exactly as
 * in Flink, so that a state of one parallelism is cut into ranges of another. Callers:
 * partitioners, state tables, plans. Runs on: any thread; pure. Invariant: every key group belongs
 * to exactly one subtask.
 */

/** Smallest and largest default of the maximum parallelism. */
const DEFAULT_MIN = 128;
/** Largest maximum parallelism there may be. */
export const MAX_PARALLELISM_LIMIT = 32768;

/** Key groups from `start` to `end` (exclusive). */
export interface KeyGroupRange {
  readonly start: number;
  readonly end: number;
}

/** Flink's murmur3 mix of one int, made non-negative. */
export function murmur3(hash: number): number {
  let code = Math.imul(hash, 0xcc9e2d51);
  code = (code << 15) | (code >>> 17);
  code = Math.imul(code, 0x1b873593);
  code = (code << 13) | (code >>> 19);
  code = (Math.imul(code, 5) + 0xe6546b64) | 0;
  code ^= 4;
  code ^= code >>> 16;
  code = Math.imul(code, 0x85ebca6b);
  code ^= code >>> 13;
  code = Math.imul(code, 0xc2b2ae35);
  code ^= code >>> 16;
  // The absolute value without a branch, which half of all keys would mispredict; -2^31 becomes 0.
  const sign = code >> 31;
  return ((code ^ sign) - sign) & 0x7fffffff;
}

/** The key group of a key with this hash (`key-hash.ts`). */
export function keyGroupOf(hash: number, maxParallelism: number): number {
  const code = murmur3(hash);
  const mask = maxParallelism - 1;
  // The usual maximum is a power of two, and a mask is several times faster than a division.
  return (maxParallelism & mask) === 0 ? code & mask : code % maxParallelism;
}

/** The subtask that owns a key group. */
export function subtaskOf(keyGroup: number, parallelism: number, maxParallelism: number): number {
  return Math.floor((keyGroup * parallelism) / maxParallelism);
}

/** The key groups that a subtask owns. */
export function keyGroupRange(
  subtask: number,
  parallelism: number,
  maxParallelism: number,
): KeyGroupRange {
  return {
    start: Math.ceil((subtask * maxParallelism) / parallelism),
    end: Math.floor(((subtask + 1) * maxParallelism - 1) / parallelism) + 1,
  };
}

/**
 * The maximum parallelism of an operator that was not given one: room to grow by half, and never
 * below 128.
 */
export function defaultMaxParallelism(parallelism: number): number {
  const wanted = parallelism + Math.floor(parallelism / 2);
  let power = DEFAULT_MIN;
  while (power < wanted && power < MAX_PARALLELISM_LIMIT) power *= 2;
  return power;
}
