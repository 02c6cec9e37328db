/** The bands of prices that q15, q16 and q17 count in, and what they count. Callers: those queries. */
import { col, count, countDistinct } from 'millrace';

const price = col('price');
const RANK_1 = price.lt(10_000);
const RANK_2 = price.gte(10_000).and(price.lt(1_000_000));
const RANK_3 = price.gte(1_000_000);

/** All bids, and those of each band. */
export const BIDS = {
  total_bids: count(),
  rank1_bids: count().where(RANK_1),
  rank2_bids: count().where(RANK_2),
  rank3_bids: count().where(RANK_3),
};

/** Different bidders and auctions, of all bids and of those of each band. */
export const DISTINCT = {
  total_bidders: countDistinct('bidder'),
  rank1_bidders: countDistinct('bidder').where(RANK_1),
  rank2_bidders: countDistinct('bidder').where(RANK_2),
  rank3_bidders: countDistinct('bidder').where(RANK_3),
  total_auctions: countDistinct('auction'),
  rank1_auctions: countDistinct('auction').where(RANK_1),
  rank2_auctions: countDistinct('auction').where(RANK_2),
  rank3_auctions: countDistinct('auction').where(RANK_3),
};
