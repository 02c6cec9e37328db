/**
 * Nexmark q18, last bids: the last bid of each bidder on each auction by event time; of several in one millisecond
 * the last to arrive. In which order those arrive is certain only at parallelism 1.
 */
export function q18({ bids }) {
  return bids.keyBy('bidder', 'auction').topN(1, { orderBy: { dateTime: 'desc' }, ties: 'last' });
}
