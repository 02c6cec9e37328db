/**
 * The columns of each query's result, in order: the header of `qN.csv`, also where there is no row to take it from.
 * Callers: `run.mjs`, tests. Runs on: any thread.
 */
const BANDS = 'total_bids rank1_bids rank2_bids rank3_bids';
const DISTINCT =
  'total_bidders rank1_bidders rank2_bidders rank3_bidders ' +
  'total_auctions rank1_auctions rank2_auctions rank3_auctions';
const BID = 'auction bidder price channel url dateTime extra';

/** @type {Readonly<Record<string, readonly string[]>>} */
export const RESULT_COLUMNS = Object.freeze(
  Object.fromEntries(
    Object.entries({
      q0: 'auction bidder price dateTime extra',
      q1: 'auction bidder price dateTime extra',
      q2: 'auction price',
      q3: 'name city state id',
      q4: 'category avg',
      q5: 'auction num',
      q6: 'seller avg_price',
      q7: 'auction price bidder dateTime extra',
      q8: 'id name starttime',
      q9:
        'id itemName description initialBid reserve dateTime expires seller category extra ' +
        'auction bidder price bid_dateTime bid_extra',
      q10: 'auction bidder price dateTime extra day minute',
      q11: 'bidder bid_count starttime endtime',
      q12: 'bidder bid_count starttime endtime',
      q13: 'auction bidder price dateTime value',
      q14: 'auction bidder price bidTimeType dateTime extra c_counts',
      q15: `day ${BANDS} ${DISTINCT}`,
      q16: `channel day minute ${BANDS} ${DISTINCT}`,
      q17: `auction day ${BANDS} min_price max_price avg_price sum_price`,
      q18: BID,
      q19: `${BID} rank_number`,
      q20: `${BID} itemName description initialBid reserve dateTime0 expires seller category extra0`,
      q21: 'auction bidder price channel channel_id',
      q22: 'auction bidder price channel dir1 dir2 dir3',
      q23:
        'bidder price channel url bid_extra person_id name emailAddress creditCard city state ' +
        'person_extra itemName description initialBid reserve auction_dateTime expires seller ' +
        'category auction_extra',
    }).map(([query, names]) => [query, Object.freeze(names.split(' '))]),
  ),
);
