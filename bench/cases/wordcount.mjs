/** Counting the words of a text. */

/** @type {import('../lib/bench-case.mjs').BenchCase} */
export const benchCase = {
  name: 'wordcount',
  title: 'lines of a text of 20 000 different words, counted per word',
  rows: { full: 6_000_000, quick: 500_000 },
  input: 'text',
  contenders: [
    {
      name: 'millrace',
      title: 'Millrace, explode over split, records are lines',
      module: 'jobs/run-job.mjs',
      options: { job: 'wordcount' },
    },
    {
      name: 'millrace-lambda',
      title: 'Millrace, flatMap of a function that splits',
      module: 'jobs/run-job.mjs',
      options: { job: 'wordcount-lambda' },
    },
    { name: 'limit', title: 'bytes by hand, two threads', module: 'limits/wordcount.mjs' },
    {
      name: 'node-streams',
      title: 'Node streams, split per line, Map',
      module: 'rivals/node-streams-wordcount.mjs',
      share: 0.25,
    },
  ],
  must: [{ over: 'node-streams', atLeast: 5 }],
};
