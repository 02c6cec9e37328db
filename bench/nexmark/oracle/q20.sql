SELECT
  auction, bidder, price, channel, url, bid.dateTime, bid.extra,
  itemName, description, initialBid, reserve, auction.dateTime AS dateTime0, expires, seller, category,
  auction.extra AS extra0
FROM bid JOIN auction ON auction = id
WHERE category = 10
