/** Five chained operators on numbers, as expressions. */

/** @type {import('../lib/bench-case.mjs').BenchCase} */
export const benchCase = {
  name: 'chain-expr',
  title: 'five chained numeric operators (map, filter, map, filter, map), written as expressions',
  rows: { full: 1_000_000_000, quick: 40_000_000 },
  contenders: [
    {
      name: 'millrace',
      title: 'Millrace, two slots',
      module: 'jobs/run-job.mjs',
      options: { job: 'chain-expr' },
    },
    { name: 'limit', title: 'one fused loop by hand, two threads', module: 'limits/chain.mjs' },
    { name: 'rxjs', title: 'RxJS 7', module: 'rivals/rxjs-chain.mjs', share: 0.04 },
    {
      name: 'node-streams',
      title: 'Node streams in object mode',
      module: 'rivals/node-streams-chain.mjs',
      share: 0.008,
    },
  ],
  must: [{ over: 'limit', atLeast: 0.7, aim: 0.9 }],
};
