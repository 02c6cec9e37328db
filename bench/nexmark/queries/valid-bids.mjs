/** The bids that came while their auctions were open. Callers: q4, q9. */
import { col } from 'millrace';

/**
 * @param {object} streams
 * @param {import('millrace').Stream<object>} streams.auctions
 * @param {import('millrace').Stream<object>} streams.bids
 * @param {object} fields that results have
 * @param {readonly string[]} fields.bid
 * @param {readonly string[]} fields.auction
 */
export function validBids({ auctions, bids }, { bid, auction }) {
  const times = { $opens: 'dateTime', $expires: 'expires' };
  const chosen = Object.fromEntries(auction.map((name) => [name, name]));
  return bids
    .keyBy('auction')
    .join(auctions.keyBy('id'))
    .select(
      { ...Object.fromEntries(bid.map((name) => [name, name])), $at: 'dateTime' },
      {
        ...chosen,
        ...times,
      },
    )
    .filter(col('$at').between(col('$opens'), col('$expires')))
    .select(...bid, ...auction);
}
