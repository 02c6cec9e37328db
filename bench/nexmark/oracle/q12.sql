-- When a bid is seen is up to the clock, so one window stands for all.
SELECT bidder, count(*) AS bid_count, 0 AS starttime, 10000 AS endtime FROM bid GROUP BY bidder
