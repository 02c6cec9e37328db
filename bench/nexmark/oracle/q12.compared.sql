-- What is the same at every run: the bids of each bidder over all windows, and that each window is of 10 s and there once.
SELECT
  bidder, sum(CAST(bid_count AS BIGINT)) AS bid_count,
  bool_and(CAST(starttime AS BIGINT) % 10000 = 0) AS aligned,
  bool_and(CAST(endtime AS BIGINT) - CAST(starttime AS BIGINT) = 10000) AS sized,
  count(*) - count(DISTINCT starttime) AS repeated
FROM $result GROUP BY bidder
