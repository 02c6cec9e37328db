/**
 * Nexmark q12, processing-time windows: the bids of each bidder by every ten seconds of the wall clock. What is in
 * which window differs from run to run.
 */
import { count, tumbling } from 'millrace';

export function q12({ bids }) {
  return bids
    .keyBy('bidder')
    .window(tumbling('10s', { time: 'processing', endOfInput: 'fire' }))
    .aggregate({ bid_count: count() })
    .select({
      bidder: 'bidder',
      bid_count: 'bid_count',
      starttime: 'windowStart',
      endtime: 'windowEnd',
    });
}
