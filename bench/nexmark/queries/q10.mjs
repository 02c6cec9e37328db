/** Nexmark q10, log to files: the bids with the day and the minute that files are divided by. */
import { moment } from './moment.mjs';

/** The files are divided among directories by these. */
export const Q10_BUCKETS = ['day', 'minute'];

export function q10({ bids }) {
  return bids.select({
    auction: 'auction',
    bidder: 'bidder',
    price: 'price',
    dateTime: 'dateTime',
    extra: 'extra',
    day: moment('dateTime').formatDate('YYYY-MM-DD'),
    minute: moment('dateTime').formatDate('HH:mm'),
  });
}
