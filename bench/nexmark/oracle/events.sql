-- The events of a NDJSON file as three tables; arrival is the place in the file.
CREATE TABLE event AS
SELECT row_number() OVER () AS arrival, *
FROM read_ndjson('$input', columns = {
  kind: 'VARCHAR',
  person: 'STRUCT(id BIGINT, name VARCHAR, emailAddress VARCHAR, creditCard VARCHAR, city VARCHAR, state VARCHAR, dateTime BIGINT, extra VARCHAR)',
  auction: 'STRUCT(id BIGINT, itemName VARCHAR, description VARCHAR, initialBid BIGINT, reserve BIGINT, dateTime BIGINT, expires BIGINT, seller BIGINT, category BIGINT, extra VARCHAR)',
  bid: 'STRUCT(auction BIGINT, bidder BIGINT, price BIGINT, channel VARCHAR, url VARCHAR, dateTime BIGINT, extra VARCHAR)'
});

CREATE TABLE person AS SELECT arrival, unnest(person) FROM event WHERE kind = 'person';
CREATE TABLE auction AS SELECT arrival, unnest(auction) FROM event WHERE kind = 'auction';
CREATE TABLE bid AS SELECT arrival, unnest(bid) FROM event WHERE kind = 'bid';
DROP TABLE event;

-- Times of day and days, in UTC.
CREATE MACRO day_of(ms) AS strftime(epoch_ms(CAST(ms AS BIGINT)), '%Y-%m-%d');
CREATE MACRO minute_of(ms) AS strftime(epoch_ms(CAST(ms AS BIGINT)), '%H:%M');
CREATE MACRO hour_of(ms) AS CAST(strftime(epoch_ms(CAST(ms AS BIGINT)), '%H') AS INTEGER);
