/** Nexmark q22, directories: the three in the url of each bid. */
import { col } from 'millrace';

export function q22({ bids }) {
  return bids.select({
    auction: 'auction',
    bidder: 'bidder',
    price: 'price',
    channel: 'channel',
    dir1: col('url').splitPart('/', 3),
    dir2: col('url').splitPart('/', 4),
    dir3: col('url').splitPart('/', 5),
  });
}
