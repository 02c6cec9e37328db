/**
 * Nexmark q19, top bids: the ten highest bids on each auction, ranked by price; of equal prices the first to arrive.
 * Subtasks in parallel read different events, so what arrives first among theirs is certain only at parallelism 1.
 */
export function q19({ bids }) {
  return bids.keyBy('auction').topN(10, { orderBy: { price: 'desc' }, rank: 'rank_number' });
}
