SELECT
  auction, bidder, CAST(price AS DECIMAL(15, 0)) * 0.908 AS price,
  CASE
    WHEN hour_of(dateTime) BETWEEN 8 AND 18 THEN 'dayTime'
    WHEN hour_of(dateTime) <= 6 OR hour_of(dateTime) >= 20 THEN 'nightTime'
    ELSE 'otherTime'
  END AS bidTimeType,
  dateTime, extra,
  len(list_filter(string_split(extra, ''), letter -> letter = 'c')) AS c_counts
FROM bid
WHERE price * 908 > 1000000000 AND price * 908 < 50000000000
