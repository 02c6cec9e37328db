/** Nexmark q23: the bids of people who sell, with the person and each auction of theirs. */
export function q23({ bids, people, auctions }) {
  return bids
    .select('bidder', 'price', 'channel', 'url', 'extra')
    .keyBy('bidder')
    .join(people.keyBy('id'))
    .apply((bid, person) => ({
      bidder: bid.bidder,
      price: bid.price,
      channel: bid.channel,
      url: bid.url,
      bid_extra: bid.extra,
      person_id: person.id,
      name: person.name,
      emailAddress: person.emailAddress,
      creditCard: person.creditCard,
      city: person.city,
      state: person.state,
      person_extra: person.extra,
    }))
    .keyBy('bidder')
    .join(auctions.keyBy('seller'))
    .apply((bid, auction) => ({
      ...bid,
      itemName: auction.itemName,
      description: auction.description,
      initialBid: auction.initialBid,
      reserve: auction.reserve,
      auction_dateTime: auction.dateTime,
      expires: auction.expires,
      seller: auction.seller,
      category: auction.category,
      auction_extra: auction.extra,
    }));
}
