/** How long it takes until an empty job has ended. */

const module = 'jobs/run-empty.mjs';

/** @type {import('../lib/bench-case.mjs').BenchCase} */
export const benchCase = {
  name: 'startup',
  title: 'an empty job on two worker threads, from the import or the command to the end',
  shows: 'measures',
  rows: { full: 1, quick: 1 },
  contenders: [
    {
      name: 'millrace',
      title: 'embedded: import and run in a program that is running',
      module,
      options: { form: 'embedded' },
    },
    {
      name: 'millrace-command',
      title: 'millrace run, JavaScript',
      module,
      options: { form: 'process', args: ['$cli', 'run', 'bench/jobs/empty.mjs'] },
    },
    {
      name: 'millrace-typescript',
      title: 'millrace run, TypeScript',
      module,
      options: { form: 'process', args: ['$cli', 'run', 'bench/jobs/empty-typescript.ts'] },
    },
    { name: 'limit', title: 'two bare worker threads', module: 'limits/startup.mjs' },
    {
      name: 'node',
      title: 'node that does nothing, from start to end',
      module,
      options: { form: 'process', args: ['--eval', '0'] },
      isReference: true,
    },
  ],
  measures: [{ name: 'startMs', unit: 'ms', title: 'to the end', better: 'less' }],
  must: [
    { contender: 'millrace-command', measure: 'startMs', atMost: 250, aim: 125 },
    { measure: 'startMs', atMost: 100, aim: 50 },
    { contender: 'millrace-typescript', measure: 'startMs' },
  ],
};
