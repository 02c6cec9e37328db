/** Nexmark q23: the bids of people who sell, with the person and each auction of theirs. */
export function q23({ bids, people, auctions }) {
  const bid = { bidder: 'bidder', price: 'price', channel: 'channel', url: 'url' };
  const person = {
    person_id: 'id',
    name: 'name',
    emailAddress: 'emailAddress',
    creditCard: 'creditCard',
    city: 'city',
    state: 'state',
    person_extra: 'extra',
  };
  const names = [...Object.keys(bid), 'bid_extra', ...Object.keys(person)];
  return bids
    .keyBy('bidder')
    .join(people.keyBy('id'))
    .select({ ...bid, bid_extra: 'extra' }, person)
    .keyBy('bidder')
    .join(auctions.keyBy('seller'))
    .select(names, {
      itemName: 'itemName',
      description: 'description',
      initialBid: 'initialBid',
      reserve: 'reserve',
      auction_dateTime: 'dateTime',
      expires: 'expires',
      seller: 'seller',
      category: 'category',
      auction_extra: 'extra',
    });
}
