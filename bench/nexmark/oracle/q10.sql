SELECT auction, bidder, price, dateTime, extra, day_of(dateTime) AS day, minute_of(dateTime) AS minute FROM bid
