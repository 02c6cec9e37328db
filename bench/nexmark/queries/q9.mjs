/**
 * Nexmark q9, winning bids: each auction that had a bid, with the winning one: the highest while it was open, of equal
 * ones the earliest, then the first to arrive. What only the result needs of auctions is joined to the winning bids.
 */
import { validBids } from './valid-bids.mjs';

export function q9({ auctions, bids }) {
  const winners = validBids(
    { auctions, bids },
    { bid: ['auction', 'bidder', 'price', 'dateTime', 'extra'], auction: [] },
  )
    .keyBy('auction')
    .topN(1, { orderBy: { price: 'desc', dateTime: 'asc' } });
  return auctions
    .keyBy('id')
    .join(winners.keyBy('auction'))
    .select(
      [
        'id',
        'itemName',
        'description',
        'initialBid',
        'reserve',
        'dateTime',
        'expires',
        'seller',
        'category',
        'extra',
      ],
      {
        auction: 'auction',
        bidder: 'bidder',
        price: 'price',
        bid_dateTime: 'dateTime',
        bid_extra: 'extra',
      },
    );
}
