/** Nexmark q20, expanded bids: the bids on auctions of category 10, with the auction. */
import { col } from 'millrace';

export function q20({ bids, auctions }) {
  return bids
    .keyBy('auction')
    .join(auctions.filter(col('category').eq(10)).keyBy('id'))
    .apply((bid, auction) => ({
      auction: bid.auction,
      bidder: bid.bidder,
      price: bid.price,
      channel: bid.channel,
      url: bid.url,
      dateTime: bid.dateTime,
      extra: bid.extra,
      itemName: auction.itemName,
      description: auction.description,
      initialBid: auction.initialBid,
      reserve: auction.reserve,
      dateTime0: auction.dateTime,
      expires: auction.expires,
      seller: auction.seller,
      category: auction.category,
      extra0: auction.extra,
    }));
}
