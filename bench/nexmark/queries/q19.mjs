/**
 * Nexmark q19, top bids: the ten highest bids on each auction, ranked by price; of equal prices the first to arrive.
 * Subtasks in parallel read different events, so what arrives first among theirs is chance; there, event time decides
 * between equal prices first.
 */
import { END_OF_TIME } from './end-of-time.mjs';

const RANKS = 10;

export function q19({ bids }) {
  return bids.keyBy('auction').process(openRanking);
}

function openRanking({ state, parallelism }) {
  const top = state.value({ name: 'top' });
  const isInOrder = parallelism === 1;
  const isAbove = (bid, other) =>
    bid.price > other.price ||
    (!isInOrder && bid.price === other.price && bid.dateTime < other.dateTime);
  return {
    processElement(bid, { timers }) {
      const ranked = top.value();
      if (ranked === undefined) timers.registerEventTime(END_OF_TIME);
      const rank = placeOf(bid, ranked ?? [], isAbove);
      if (rank < RANKS) top.update(withBid(ranked ?? [], rank, bid));
    },
    onTimer(_time, { collect }) {
      top.value().forEach((bid, rank) => collect({ ...bid, rank_number: rank + 1 }));
    },
  };
}

/** Behind all bids that are not below it. */
function placeOf(bid, ranked, isAbove) {
  let rank = ranked.length;
  while (rank > 0 && isAbove(bid, ranked[rank - 1])) rank--;
  return rank;
}

function withBid(ranked, rank, bid) {
  const better = ranked.toSpliced(rank, 0, bid);
  if (better.length > RANKS) better.pop();
  return better;
}
