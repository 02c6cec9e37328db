-- Both bounds are inclusive: a bid at the end of a window also counts there.
WITH highest AS (
  SELECT dateTime - dateTime % 10000 AS start, max(price) AS price FROM bid GROUP BY ALL
)
SELECT auction, bid.price, bidder, dateTime, extra
FROM bid JOIN highest ON bid.price = highest.price AND dateTime BETWEEN start AND start + 10000
