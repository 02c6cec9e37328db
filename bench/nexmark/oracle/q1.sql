SELECT auction, bidder, CAST(price AS DECIMAL(15, 0)) * 0.908 AS price, dateTime, extra FROM bid
