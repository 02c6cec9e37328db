/**
 * Nexmark q6, average selling price: for each winning bid the average of it and the ten before of the same seller, in
 * the order of the bids' times; averages are cut to whole numbers. An auction may end after one that was won later, so
 * the order is known when the input has ended.
 */
import { END_OF_TIME } from './end-of-time.mjs';
import { winningBids } from './winning-bids.mjs';

const BEFORE = 10;

export function q6({ auctions, bids }) {
  const streams = {
    auctions: auctions.select('id', 'seller', 'dateTime', 'expires'),
    bids: bids.select('auction', 'price', 'dateTime'),
  };
  return winningBids(streams, ({ id, seller }, { price, dateTime }) => ({
    id,
    seller,
    price,
    dateTime,
  }))
    .keyBy('seller')
    .process(openAverages);
}

function openAverages({ state }) {
  const sales = state.list({ name: 'sales' });
  return {
    processElement(sale, { timers }) {
      sales.add(sale);
      timers.registerEventTime(END_OF_TIME);
    },
    onTimer(_time, { collect }) {
      const ordered = [...sales.get()].sort((a, b) => a.dateTime - b.dateTime || a.id - b.id);
      ordered.forEach(({ seller }, at) => {
        const last = ordered.slice(Math.max(0, at - BEFORE), at + 1);
        const total = last.reduce((sum, { price }) => sum + price, 0);
        collect({ seller, avg_price: Math.trunc(total / last.length) });
      });
    },
  };
}
