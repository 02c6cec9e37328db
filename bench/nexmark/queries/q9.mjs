/** Nexmark q9, winning bids: each auction that had a bid, with the winning one. */
import { winningBids } from './winning-bids.mjs';

export function q9({ auctions, bids }) {
  const offers = bids.select('auction', 'bidder', 'price', 'dateTime', 'extra');
  return winningBids({ auctions, bids: offers }, (auction, bid) => ({
    id: auction.id,
    itemName: auction.itemName,
    description: auction.description,
    initialBid: auction.initialBid,
    reserve: auction.reserve,
    dateTime: auction.dateTime,
    expires: auction.expires,
    seller: auction.seller,
    category: auction.category,
    extra: auction.extra,
    auction: bid.auction,
    bidder: bid.bidder,
    price: bid.price,
    bid_dateTime: bid.dateTime,
    bid_extra: bid.extra,
  }));
}
