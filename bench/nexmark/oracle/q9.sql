SELECT
  id, itemName, description, initialBid, reserve, auction.dateTime, expires, seller, category, auction.extra,
  auction, bidder, price, bid.dateTime AS bid_dateTime, bid.extra AS bid_extra
FROM auction JOIN bid ON id = auction
WHERE bid.dateTime BETWEEN auction.dateTime AND expires
QUALIFY row_number() OVER (PARTITION BY id ORDER BY price DESC, bid.dateTime, bid.arrival) = 1
