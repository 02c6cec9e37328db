/**
 * The winning bid of each auction: the highest while it was open, of equal ones the earliest, then the first to
 * arrive. Given when event time has passed the end of the auction; what is kept of it is dropped then. Callers: q6.
 */

import { inEventTime } from './event-time.mjs';

/**
 * @param {object} streams
 * @param {import('millrace').Stream<{ id: number, dateTime: number, expires: number }>} streams.auctions
 * @param {import('millrace').Stream<{ auction: number, price: number, dateTime: number }>} streams.bids
 * @param {(auction: object, bid: object) => object} resultOf
 */
export function winningBids({ auctions, bids }, resultOf) {
  return inEventTime(auctions)
    .keyBy('id')
    .connect(inEventTime(bids).keyBy('auction'))
    .process((context) => openAuctions(context, resultOf));
}

function openAuctions({ state }, resultOf) {
  const auctions = state.value({ name: 'auction' });
  const winners = state.value({ name: 'winner' });
  const earlyBids = state.list({ name: 'early' });
  /** Whether a timer is set for the first of them. */
  const waits = state.value({ name: 'waits', type: { kind: 'bool' } });

  function offer(auction, bid) {
    if (bid.dateTime < auction.dateTime || bid.dateTime > auction.expires) return;
    const winner = winners.value();
    if (winner === undefined || isAbove(bid, winner)) winners.update(bid);
  }

  return {
    processElement(auction, { timers }) {
      auctions.update(auction);
      for (const bid of earlyBids.get()) {
        if (bid.dateTime > timers.currentWatermark) offer(auction, bid);
      }
      earlyBids.clear();
      waits.clear();
      timers.registerEventTime(auction.expires);
    },
    processElement2(bid, { timers }) {
      const auction = auctions.value();
      if (auction !== undefined) return offer(auction, bid);
      // Bids may be on auctions that have yet to come; none comes that was open then once their time has passed.
      if (bid.dateTime <= timers.currentWatermark) return;
      // One timer at a time does for all of an auction: what is left when it fires sets the next one.
      earlyBids.add(bid);
      if (waits.value() === true) return;
      waits.update(true);
      timers.registerEventTime(bid.dateTime);
    },
    onTimer(time, { collect, timers }) {
      const auction = auctions.value();
      if (auction === undefined) {
        const left = [...earlyBids.get()].filter((bid) => bid.dateTime > timers.currentWatermark);
        earlyBids.update(left);
        if (left.length === 0) waits.clear();
        else timers.registerEventTime(left.reduce(earliest, Infinity));
        return;
      }
      if (time < auction.expires) return;
      const winner = winners.value();
      if (winner !== undefined) collect(resultOf(auction, winner));
      auctions.clear();
      winners.clear();
    },
  };
}

function earliest(time, bid) {
  return Math.min(time, bid.dateTime);
}

function isAbove(bid, winner) {
  return bid.price > winner.price || (bid.price === winner.price && bid.dateTime < winner.dateTime);
}
