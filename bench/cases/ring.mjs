/** The ring between two threads, without a job around it. */

/** @type {import('../lib/bench-case.mjs').BenchCase} */
export const benchCase = {
  name: 'ring',
  title: 'records of 64 bytes from one thread to another, and round trips',
  shows: 'measures',
  rows: { full: 20_000_000, quick: 2_000_000 },
  contenders: [
    { name: 'millrace', title: "Millrace's ring", module: 'jobs/ring.mjs' },
    { name: 'limit', title: 'an array and two counters by hand', module: 'limits/ring.mjs' },
    {
      name: 'post-message',
      title: 'postMessage; spinning: receiveMessageOnPort in a loop',
      module: 'rivals/post-message.mjs',
      share: 0.1,
    },
  ],
  measures: [
    { name: 'singleRate', unit: 'records/s', title: 'one a message', better: 'more' },
    { name: 'batchedRate', unit: 'records/s', title: '32 a message', better: 'more' },
    { name: 'parkedMicros', unit: 'us', title: 'round trip, parked', better: 'less' },
    { name: 'spinMicros', unit: 'us', title: 'round trip, spinning', better: 'less' },
  ],
  must: [
    { measure: 'singleRate', over: 'post-message', atLeast: 20 },
    { measure: 'parkedMicros', over: 'post-message', atLeast: 1 },
    { measure: 'spinMicros', over: 'post-message', atLeast: 10 },
  ],
};
