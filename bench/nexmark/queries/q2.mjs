/** Nexmark q2, selection: the bids on every 123rd auction. */
import { col } from 'millrace';

export function q2({ bids }) {
  return bids.filter(col('auction').mod(123).eq(0)).select('auction', 'price');
}
