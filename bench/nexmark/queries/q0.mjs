/** Nexmark q0, pass-through: the bids. */
export function q0({ bids }) {
  return bids.select('auction', 'bidder', 'price', 'dateTime', 'extra');
}
