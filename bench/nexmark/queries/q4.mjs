/** Nexmark q4, average price: of the winning bids of each category; averages are cut to whole numbers. */
import { col, count, max, sum } from 'millrace';
import { validBids } from './valid-bids.mjs';

export function q4(streams) {
  return validBids(streams, { bid: ['auction', 'price'], auction: ['category'] })
    .keyBy('auction', 'category')
    .aggregate({ price: max('price') })
    .keyBy('category')
    .aggregate({ total: sum('price'), bids: count() })
    .select({ category: 'category', avg: col('total').div(col('bids')).trunc() });
}
