/** How long checkpoints of a job are under way that one slow function holds back, aligned and unaligned. */

/** @param {Record<string, unknown>} settings */
function taking(settings) {
  return {
    module: 'jobs/run-slow.mjs',
    options: { spendMs: 0.1, checkpoints: 3, settings },
  };
}

const unaligned = { 'execution.checkpointing.unaligned.enabled': true };

/** @type {import('../lib/bench-case.mjs').BenchCase} */
export const benchCase = {
  name: 'slow-function',
  title: 'checkpoints under backpressure: a function that takes 0.1 ms for each record',
  shows: 'measures',
  rows: { full: 10_000_000, quick: 10_000_000 },
  contenders: [
    { name: 'millrace', title: 'unaligned', ...taking(unaligned) },
    {
      name: 'timeout',
      title: 'aligned for 100 ms, then unaligned',
      ...taking({ ...unaligned, 'execution.checkpointing.alignedCheckpointTimeout': '100ms' }),
    },
    { name: 'aligned', title: 'aligned', ...taking({}) },
  ],
  measures: [
    { name: 'durationMs', unit: 'ms', title: 'from trigger to completion', better: 'less' },
    { name: 'longestMs', unit: 'ms', title: 'the longest of them', better: 'less' },
    { name: 'inFlightBytes', unit: 'bytes', title: 'records overtaken', better: 'less' },
    { name: 'writtenBytes', unit: 'bytes', title: 'written', better: 'less' },
  ],
  must: [
    { measure: 'durationMs', atMost: 1000, aim: 250 },
    { contender: 'timeout', measure: 'durationMs', atMost: 1000, aim: 350 },
    { contender: 'aligned', measure: 'durationMs' },
  ],
};
