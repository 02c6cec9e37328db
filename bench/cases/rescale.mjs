/** How long a job with a gigabyte of state by key stands still when its parallelism changes. */

const module = 'jobs/run-rescale.mjs';
const incremental = true;

/** @type {import('../lib/bench-case.mjs').BenchCase} */
export const benchCase = {
  name: 'rescale',
  title: 'another parallelism for a job with much state by key',
  shows: 'measures',
  rows: { full: 12_000_000, quick: 1_000_000 },
  contenders: [
    { name: 'millrace', title: 'from 1 to 2', module, options: { from: 1, to: 2, incremental } },
    { name: 'narrower', title: 'from 2 to 1', module, options: { from: 2, to: 1, incremental } },
    {
      name: 'full',
      title: 'from 1 to 2, checkpoints of all state',
      module,
      options: { from: 1, to: 2, incremental: false },
    },
    {
      name: 'function',
      title: 'from 1 to 2, state of a function',
      module,
      options: { from: 1, to: 2, incremental, isFunction: true },
    },
  ],
  measures: [
    { name: 'pauseMs', unit: 'ms', title: 'without a record', better: 'less' },
    {
      name: 'checkpointMs',
      unit: 'ms',
      title: 'until it was suspended, while it worked',
      better: 'less',
    },
    { name: 'restartMs', unit: 'ms', title: 'until all subtasks ran again', better: 'less' },
    { name: 'stateBytes', unit: 'bytes', title: 'state', better: 'less' },
    {
      name: 'writtenBytes',
      unit: 'bytes',
      title: 'written by the checkpoint it stood still for',
      better: 'less',
    },
  ],
  must: [
    { measure: 'pauseMs', aim: 1000 },
    { contender: 'narrower', measure: 'pauseMs', aim: 1000 },
    { contender: 'full', measure: 'pauseMs', aim: 1000 },
    { contender: 'function', measure: 'pauseMs', aim: 1000 },
  ],
};
