-- A session ends where more than 10 s pass until the next bid of the bidder.
WITH begun AS (
  SELECT bidder, dateTime, dateTime - lag(dateTime) OVER bids > 10000 AS begins
  FROM bid WINDOW bids AS (PARTITION BY bidder ORDER BY dateTime)
), numbered AS (
  SELECT bidder, dateTime, count(*) FILTER (begins) OVER (
    PARTITION BY bidder ORDER BY dateTime RANGE UNBOUNDED PRECEDING
  ) AS session
  FROM begun
)
SELECT bidder, count(*) AS bid_count, min(dateTime) AS starttime, max(dateTime) + 10000 AS endtime
FROM numbered GROUP BY bidder, session
