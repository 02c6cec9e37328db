/** Nexmark q11, user sessions: the bids of each bidder that come without a pause of ten seconds. */
import { count, session } from 'millrace';
import { inEventTime } from './event-time.mjs';

export function q11({ bids }) {
  return inEventTime(bids)
    .keyBy('bidder')
    .window(session('10s'))
    .aggregate({ bid_count: count() })
    .select({
      bidder: 'bidder',
      bid_count: 'bid_count',
      starttime: 'windowStart',
      endtime: 'windowEnd',
    });
}
