/**
 * Nexmark q13, bounded side input: the bids with what a side table of ten thousand rows has for their auctions. The
 * original reads the table from a file into memory; here each slot has it in memory, since each builds the job.
 */
const SIDE_ROWS = 10_000;

export function q13({ bids }) {
  const side = new Map(
    Array.from({ length: SIDE_ROWS }, (_, key) => [key, { value: String(key) }]),
  );
  return bids
    .lookupJoin({
      key: (bid) => bid.auction % SIDE_ROWS,
      lookup: (key) => side.get(key),
      cache: { maxRows: SIDE_ROWS },
    })
    .select(['auction', 'bidder', 'price', 'dateTime'], ['value'], { uid: 'side' });
}
