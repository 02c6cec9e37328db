-- The average of whole numbers is cut to a whole number.
WITH final AS (
  SELECT auction.id, category, max(price) AS price
  FROM auction JOIN bid ON auction.id = bid.auction
  WHERE bid.dateTime BETWEEN auction.dateTime AND expires
  GROUP BY auction.id, category
)
SELECT category, CAST(sum(price) // count(*) AS BIGINT) AS avg FROM final GROUP BY category
