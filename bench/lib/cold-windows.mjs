/** Cases of windows with more state than memory, exactly once, beside the same in memory. Callers: the cases. */

const keys = 10_000_000;

/**
 * @param {string} windows as the job `cold-event-windows` names them
 * @param {Record<string, unknown>} settings
 */
function summing(windows, settings) {
  return {
    module: 'jobs/run-checkpointed.mjs',
    options: {
      job: 'cold-event-windows',
      params: { keys, windows },
      interval: '10s',
      incremental: true,
      settings,
    },
  };
}

/**
 * @param {{ name: string, title: string, windows: string }} of
 * @returns {import('./bench-case.mjs').BenchCase}
 */
export function coldWindows({ name, title, windows }) {
  return {
    name,
    title,
    rows: { full: 8_000_000, quick: 4_000_000 },
    contenders: [
      {
        name: 'millrace',
        title: 'state.backend lsm, two slots of 64 MB',
        ...summing(windows, { 'state.backend': 'lsm', 'slot.memory': '64mb' }),
      },
      {
        name: 'memory',
        title: 'state.backend memory, two slots of 2 GB',
        ...summing(windows, { 'slot.memory': '2gb' }),
      },
    ],
    must: [{ over: 'memory' }],
  };
}
