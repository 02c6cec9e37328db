/**
 * Nexmark q13, bounded side input: the bids with what a side table of ten thousand rows has for their auctions. Each
 * slot has the table in memory, since each builds the job.
 */
const SIDE_ROWS = 10_000;

export function q13({ bids }) {
  const side = new Map(Array.from({ length: SIDE_ROWS }, (_, key) => [key, String(key)]));
  return bids
    .select('auction', 'bidder', 'price', 'dateTime')
    .map((bid) => ({ ...bid, value: side.get(bid.auction % SIDE_ROWS) }));
}
