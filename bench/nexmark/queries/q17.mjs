/** Nexmark q17, auction statistics: prices of each auction and day; averages are cut to whole numbers. */
import { col, max, min, sum } from 'millrace';
import { moment } from './moment.mjs';
import { BIDS } from './price-bands.mjs';

export function q17({ bids }) {
  return bids
    .select({ auction: 'auction', day: moment('dateTime').cast('date'), price: 'price' })
    .keyBy('auction', 'day')
    .aggregate({
      ...BIDS,
      min_price: min('price'),
      max_price: max('price'),
      sum_price: sum('price'),
    })
    .select({
      auction: 'auction',
      day: col('day').formatDate('YYYY-MM-DD'),
      ...Object.fromEntries(Object.keys(BIDS).map((name) => [name, name])),
      min_price: 'min_price',
      max_price: 'max_price',
      avg_price: col('sum_price').div(col('total_bids')).trunc(),
      sum_price: 'sum_price',
    });
}
