/** Sliding windows: what a slide costs that is a small part of the window. */

const FEW = 1000;
const MANY = 100_000;

function contender(name, users, slideMs) {
  return {
    name,
    title: `Millrace, two slots, ${users} users, every ${slideMs / 1000} s`,
    module: 'jobs/run-sliding.mjs',
    options: { job: 'sliding', params: { users, readers: 2, slideMs } },
  };
}

/** @type {import('../lib/bench-case.mjs').BenchCase} */
export const benchCase = {
  name: 'sliding',
  title: 'windows of a minute every second beside every ten seconds, 100 K events a second',
  shows: 'measures',
  rows: { full: 8_388_608, quick: 2_097_152 },
  contenders: [
    contender('millrace', FEW, 1000),
    contender('millrace-10s', FEW, 10_000),
    contender('millrace-many', MANY, 1000),
    contender('millrace-many-10s', MANY, 10_000),
  ],
  measures: [
    {
      name: 'itemsPerSecond',
      unit: 'items/s',
      title: 'events and results',
      better: 'more',
    },
    { name: 'results', unit: 'rows', title: 'results', better: 'more' },
  ],
  must: [
    { over: 'millrace-10s', measure: 'itemsPerSecond', atLeast: 1 / 1.3 },
    {
      contender: 'millrace-many',
      over: 'millrace-many-10s',
      measure: 'itemsPerSecond',
      atLeast: 1 / 3,
    },
  ],
};
