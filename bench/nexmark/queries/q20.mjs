/** Nexmark q20, expanded bids: the bids on auctions of category 10, with the auction. */
import { col } from 'millrace';

export function q20({ bids, auctions }) {
  return bids
    .keyBy('auction')
    .join(auctions.filter(col('category').eq(10)).keyBy('id'))
    .select(['auction', 'bidder', 'price', 'channel', 'url', 'dateTime', 'extra'], {
      itemName: 'itemName',
      description: 'description',
      initialBid: 'initialBid',
      reserve: 'reserve',
      dateTime0: 'dateTime',
      expires: 'expires',
      seller: 'seller',
      category: 'category',
      extra0: 'extra',
    });
}
