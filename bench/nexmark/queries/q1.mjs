/** Nexmark q1, currency: the bids with their prices in euros, as exact decimals. */
import { euros } from './euros.mjs';

export function q1({ bids }) {
  return bids.select({
    auction: 'auction',
    bidder: 'bidder',
    price: euros('price'),
    dateTime: 'dateTime',
    extra: 'extra',
  });
}
