-- The winning bid of each auction, and with it the average of the seller's last: of ten before and itself.
WITH winner AS (
  SELECT seller, auction.id, price, bid.dateTime
  FROM auction JOIN bid ON auction.id = bid.auction
  WHERE bid.dateTime BETWEEN auction.dateTime AND expires
  QUALIFY row_number() OVER (
    PARTITION BY auction.id ORDER BY price DESC, bid.dateTime, bid.arrival
  ) = 1
)
SELECT seller, CAST(sum(price) OVER last // count(*) OVER last AS BIGINT) AS avg_price
FROM winner
WINDOW last AS (
  PARTITION BY seller ORDER BY dateTime, id ROWS BETWEEN 10 PRECEDING AND CURRENT ROW
)
