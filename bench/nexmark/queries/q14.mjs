/** Nexmark q14, calculation: bids of middling price in euros, by time of day, with the letters c in their extra. */
import { col, when } from 'millrace';
import { euros } from './euros.mjs';
import { moment } from './moment.mjs';

const hour = moment('dateTime').hour();
const extra = col('extra');

export function q14({ bids }) {
  return bids.filter(euros('price').gt(1_000_000).and(euros('price').lt(50_000_000))).select({
    auction: 'auction',
    bidder: 'bidder',
    price: euros('price'),
    bidTimeType: when(hour.between(8, 18))
      .then('dayTime')
      .when(hour.lte(6).or(hour.gte(20)))
      .then('nightTime')
      .otherwise('otherTime'),
    dateTime: 'dateTime',
    extra: 'extra',
    c_counts: extra.length().sub(extra.replace('c', '').length()),
  });
}
