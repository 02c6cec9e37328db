/** Nexmark q5, hot items: the auctions with most bids in the last ten seconds, every two seconds; all of them on a tie. */
import { aggregator, count, sliding, tumbling } from 'millrace';
import { inEventTime } from './event-time.mjs';

const EVERY = '2s';

export function q5({ bids }) {
  return (
    inEventTime(bids)
      .keyBy('auction')
      .window(sliding('10s', EVERY))
      .aggregate({ num: count() })
      // The counts of a window have the time of its end, and no other window's are within the slide.
      .windowAll(tumbling(EVERY))
      .aggregate({ hot: hottest })
      .flatMap(({ hot: { auctions, num } }) => auctions.map((auction) => ({ auction, num })))
  );
}

/** The auctions with most bids. Parts of a window are merged, so that each subtask sends but one. */
const hottest = aggregator({
  create: () => ({ auctions: [], num: 0 }),
  add(hot, { auction, num }) {
    if (num > hot.num) return { auctions: [auction], num };
    if (num === hot.num) hot.auctions.push(auction);
    return hot;
  },
  merge(left, right) {
    if (left.num !== right.num) return left.num > right.num ? left : right;
    return { auctions: [...left.auctions, ...right.auctions], num: left.num };
  },
  result: (hot) => hot,
});
