-- Windows of 10 s that begin every 2 s; a bid lies in five of them.
WITH counted AS (
  SELECT auction, dateTime - dateTime % 2000 - 2000 * ago AS start, count(*) AS num
  FROM bid, range(5) AS windows(ago)
  GROUP BY ALL
)
SELECT auction, num FROM counted QUALIFY num = max(num) OVER (PARTITION BY start)
