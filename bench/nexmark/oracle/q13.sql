-- The side table holds 10 000 rows of a number and itself as text.
SELECT auction, bidder, price, dateTime, CAST(side.key AS VARCHAR) AS value
FROM bid JOIN range(10000) AS side(key) ON auction % 10000 = side.key
