/**
 * Nexmark q7, highest bid: of every ten seconds, all of them on a tie. The original also gives a bid at the very end
 * of a window when its price is the same, though the next window begins there.
 */
import { aggregator, col, tumbling } from 'millrace';
import { inEventTime } from './event-time.mjs';

const WINDOW_MS = 10_000;

export function q7({ bids }) {
  const offers = inEventTime(bids.select('auction', 'price', 'bidder', 'dateTime', 'extra'));
  const windows = offers.windowAll(tumbling(WINDOW_MS)).aggregate({ highest });
  const within = windows.flatMap(({ highest: { bids } }) => bids);
  const atEnds = windows
    .map(({ highest: { price } }) => ({ price }))
    .keyBy('price')
    .intervalJoin(offers.filter(col('dateTime').mod(WINDOW_MS).eq(0)).keyBy('price'))
    // What a window gives has the time of its last millisecond.
    .between(1, 1)
    .apply((_window, bid) => bid);
  return within.union(atEnds);
}

const highest = aggregator({
  create: () => ({ price: 0, bids: [] }),
  add(highest, bid) {
    if (bid.price > highest.price) return { price: bid.price, bids: [bid] };
    if (bid.price === highest.price) highest.bids.push(bid);
    return highest;
  },
  merge(left, right) {
    if (left.price !== right.price) return left.price > right.price ? left : right;
    return { price: left.price, bids: [...left.bids, ...right.bids] };
  },
  result: (highest) => highest,
});
