/** Nexmark q15, bidding statistics: bids, bidders and auctions of each day. */
import { moment } from './moment.mjs';
import { BIDS, DISTINCT } from './price-bands.mjs';
import { withText } from './with-text.mjs';

export function q15({ bids }) {
  const statistics = bids
    .select({
      day: moment('dateTime').cast('date'),
      bidder: 'bidder',
      auction: 'auction',
      price: 'price',
    })
    .keyBy('day')
    .aggregate({ ...BIDS, ...DISTINCT });
  return withText(statistics, { day: 'YYYY-MM-DD' });
}
