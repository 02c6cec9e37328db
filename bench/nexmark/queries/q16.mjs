/** Nexmark q16, channel statistics: the same of each channel and day, and the minute of its last bid. */
import { max } from 'millrace';
import { moment } from './moment.mjs';
import { BIDS, DISTINCT } from './price-bands.mjs';
import { withText } from './with-text.mjs';

export function q16({ bids }) {
  const statistics = bids
    .select({
      channel: 'channel',
      day: moment('dateTime').cast('date'),
      time: moment('dateTime'),
      bidder: 'bidder',
      auction: 'auction',
      price: 'price',
    })
    .keyBy('channel', 'day')
    // The latest minute of a day is that of its latest moment.
    .aggregate({ minute: max('time'), ...BIDS, ...DISTINCT });
  return withText(statistics, { day: 'YYYY-MM-DD', minute: 'HH:mm' });
}
