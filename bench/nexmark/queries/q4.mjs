/** Nexmark q4, average price: of the winning bids of each category; averages are cut to whole numbers. */
import { col, count, sum } from 'millrace';
import { winningBids } from './winning-bids.mjs';

export function q4({ auctions, bids }) {
  const streams = {
    auctions: auctions.select('id', 'category', 'dateTime', 'expires'),
    bids: bids.select('auction', 'price', 'dateTime'),
  };
  return winningBids(streams, ({ category }, { price }) => ({ category, price }))
    .keyBy('category')
    .aggregate({ total: sum('price'), bids: count() })
    .select({ category: 'category', avg: col('total').div(col('bids')).trunc() });
}
