/**
 * Nexmark in Flink's SQL: the tables of events, and what each query selects. Results are thrown away, as the public
 * suite does, or given to the client, where they are compared. Callers: `flink-nexmark.mjs`. Runs on: any thread; pure.
 */

const PERSON =
  'id BIGINT, name STRING, emailAddress STRING, creditCard STRING, city STRING, state STRING, ';
const AUCTION =
  'id BIGINT, itemName STRING, description STRING, initialBid BIGINT, reserve BIGINT, ';
const BID = 'auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING, ';

/** Columns of the events; times are what the source has for them. */
function columnsOf(time) {
  return [
    `person ROW<${PERSON}\`dateTime\` ${time}, extra STRING>`,
    `auction ROW<${AUCTION}\`dateTime\` ${time}, expires ${time}, seller BIGINT, category BIGINT, extra STRING>`,
    `bid ROW<${BID}\`dateTime\` ${time}, extra STRING>`,
  ].join(', ');
}

/**
 * The events as a table, generated or read from a file.
 *
 * @param {{ events: import('../../nexmark/events/event-settings.mjs').EventSettings | null, input: string | null,
 *   parallelism: number }} source
 */
function eventTable({ events, input, parallelism }) {
  if (input === null) {
    const options = {
      connector: 'millrace-nexmark',
      events: events.events,
      seed: events.seed,
      'events-per-second': events.eventsPerSecond,
      'start-ms': events.startMs,
      'out-of-order': events.outOfOrder,
      subtasks: parallelism,
    };
    return `CREATE TABLE events (
      event_type INT, ${columnsOf('TIMESTAMP(3)')},
      \`dateTime\` AS CASE event_type
        WHEN 0 THEN person.\`dateTime\` WHEN 1 THEN auction.\`dateTime\` ELSE bid.\`dateTime\` END,
      WATERMARK FOR \`dateTime\` AS \`dateTime\` - INTERVAL '4' SECOND
    ) WITH (${withOptions(options)})`;
  }
  const options = { connector: 'filesystem', path: `file://${input}`, format: 'json' };
  return `CREATE TABLE events (
    kind STRING, ${columnsOf('BIGINT')},
    event_type AS CASE kind WHEN 'person' THEN 0 WHEN 'auction' THEN 1 ELSE 2 END,
    \`dateTime\` AS CAST(TO_TIMESTAMP_LTZ(
      COALESCE(bid.\`dateTime\`, auction.\`dateTime\`, person.\`dateTime\`), 3) AS TIMESTAMP(3)),
    WATERMARK FOR \`dateTime\` AS \`dateTime\` - INTERVAL '4' SECOND
  ) WITH (${withOptions(options)})`;
}

function withOptions(options) {
  return Object.entries(options)
    .map(([key, value]) => `'${key}' = '${value}'`)
    .join(', ');
}

function views(input) {
  const expires =
    input === null
      ? 'auction.expires'
      : 'CAST(TO_TIMESTAMP_LTZ(auction.expires, 3) AS TIMESTAMP(3))';
  const fields = (kind, names) =>
    names
      .split(' ')
      .map((name) => `${kind}.${name}`)
      .join(', ');
  return [
    `CREATE VIEW person AS SELECT ${fields('person', 'id name emailAddress creditCard city state')},
      \`dateTime\`, person.extra FROM events WHERE event_type = 0`,
    `CREATE VIEW auction AS SELECT ${fields('auction', 'id itemName description initialBid reserve')},
      \`dateTime\`, ${expires} AS expires, auction.seller, auction.category, auction.extra
      FROM events WHERE event_type = 1`,
    `CREATE VIEW bid AS SELECT ${fields('bid', 'auction bidder price channel url')},
      \`dateTime\`, bid.extra FROM events WHERE event_type = 2`,
    'CREATE VIEW bid_now AS SELECT *, PROCTIME() AS p_time FROM bid',
    `CREATE TABLE side (key BIGINT, \`value\` STRING) WITH ('connector' = 'millrace-side', 'rows' = '${SIDE_ROWS}')`,
  ];
}

/** Rows of the side table of q13. */
const SIDE_ROWS = 10_000;

const EUROS = '0.908 * price';
const DAY = "DATE_FORMAT(`dateTime`, 'yyyy-MM-dd')";
const MINUTE = "DATE_FORMAT(`dateTime`, 'HH:mm')";
const RANKS = ['price < 10000', 'price >= 10000 AND price < 1000000', 'price >= 1000000'];
const CHANNEL_ID = "REGEXP_EXTRACT(url, '(&|^)channel_id=([^&]*)', 2)";
const HOP = "HOP(TABLE bid, DESCRIPTOR(`dateTime`), INTERVAL '2' SECOND, INTERVAL '10' SECOND)";
const WINNING = 'A.id = B.auction AND B.`dateTime` BETWEEN A.`dateTime` AND A.expires';
const BID_FIELDS = 'auction, bidder, price, channel, url, B.`dateTime`, B.extra';
const AUCTION_FIELDS =
  'itemName, description, initialBid, reserve, A.`dateTime` AS dateTime0, expires, seller, category, ' +
  'A.extra AS extra0';

/** An aggregate of all bids, and of those of each band of prices. */
function banded(aggregate) {
  return [aggregate, ...RANKS.map((rank) => `${aggregate} FILTER (WHERE ${rank})`)].join(', ');
}

const DISTINCT = `${banded('COUNT(DISTINCT bidder)')}, ${banded('COUNT(DISTINCT auction)')}`;

function tumbled(table) {
  return `TABLE(TUMBLE(TABLE ${table}, DESCRIPTOR(\`dateTime\`), INTERVAL '10' SECOND))`;
}

/** @type {Readonly<Record<string, string>>} */
const SELECTS = {
  q0: 'SELECT auction, bidder, price, `dateTime`, extra FROM bid',
  q1: `SELECT auction, bidder, ${EUROS} AS price, \`dateTime\`, extra FROM bid`,
  q2: 'SELECT auction, price FROM bid WHERE MOD(auction, 123) = 0',
  q3: `SELECT P.name, P.city, P.state, A.id FROM auction A JOIN person P ON A.seller = P.id
    WHERE A.category = 10 AND P.state IN ('OR', 'ID', 'CA')`,
  q4: `SELECT category, AVG(final) FROM (
      SELECT MAX(B.price) AS final, A.category FROM auction A, bid B WHERE ${WINNING} GROUP BY A.id, A.category
    ) GROUP BY category`,
  q5: `WITH counts AS (
      SELECT auction, COUNT(*) AS num, window_start, window_end FROM TABLE(${HOP})
      GROUP BY auction, window_start, window_end
    )
    SELECT C.auction, C.num FROM counts C JOIN (
      SELECT MAX(num) AS most, window_start, window_end FROM counts GROUP BY window_start, window_end
    ) M ON C.window_start = M.window_start AND C.window_end = M.window_end AND C.num >= M.most`,
  q7: `SELECT B.auction, B.price, B.bidder, B.\`dateTime\`, B.extra FROM bid B JOIN (
      SELECT MAX(price) AS most, window_end AS ends FROM ${tumbled('bid')} GROUP BY window_start, window_end
    ) M ON B.price = M.most WHERE B.\`dateTime\` BETWEEN M.ends - INTERVAL '10' SECOND AND M.ends`,
  q8: `SELECT P.id, P.name, P.window_start FROM (
      SELECT id, name, window_start, window_end FROM ${tumbled('person')} GROUP BY id, name, window_start, window_end
    ) P JOIN (
      SELECT seller, window_start, window_end FROM ${tumbled('auction')} GROUP BY seller, window_start, window_end
    ) A ON P.id = A.seller AND P.window_start = A.window_start AND P.window_end = A.window_end`,
  q9: `SELECT id, itemName, description, initialBid, reserve, \`dateTime\`, expires, seller, category, extra,
      auction, bidder, price, bid_dateTime, bid_extra FROM (
      SELECT A.*, B.auction, B.bidder, B.price, B.\`dateTime\` AS bid_dateTime, B.extra AS bid_extra,
        ROW_NUMBER() OVER (PARTITION BY A.id ORDER BY B.price DESC, B.\`dateTime\`) AS place
      FROM auction A, bid B WHERE ${WINNING}
    ) WHERE place <= 1`,
  q10: `SELECT auction, bidder, price, \`dateTime\`, extra, ${DAY} AS \`day\`, ${MINUTE} AS \`minute\` FROM bid`,
  q11: `SELECT bidder, COUNT(*), SESSION_START(\`dateTime\`, INTERVAL '10' SECOND),
      SESSION_END(\`dateTime\`, INTERVAL '10' SECOND)
    FROM bid GROUP BY bidder, SESSION(\`dateTime\`, INTERVAL '10' SECOND)`,
  q12: `SELECT bidder, COUNT(*), window_start, window_end
    FROM TABLE(TUMBLE(TABLE bid_now, DESCRIPTOR(p_time), INTERVAL '10' SECOND))
    GROUP BY bidder, window_start, window_end`,
  q13: `SELECT B.auction, B.bidder, B.price, B.\`dateTime\`, S.\`value\` FROM bid_now B
    JOIN side FOR SYSTEM_TIME AS OF B.p_time AS S ON MOD(B.auction, 10000) = S.key`,
  q14: `SELECT auction, bidder, ${EUROS} AS price,
      CASE WHEN HOUR(\`dateTime\`) BETWEEN 8 AND 18 THEN 'dayTime'
        WHEN HOUR(\`dateTime\`) <= 6 OR HOUR(\`dateTime\`) >= 20 THEN 'nightTime' ELSE 'otherTime' END,
      \`dateTime\`, extra, count_char(extra, 'c')
    FROM bid WHERE ${EUROS} > 1000000 AND ${EUROS} < 50000000`,
  q15: `SELECT ${DAY}, ${banded('COUNT(*)')}, ${DISTINCT} FROM bid GROUP BY ${DAY}`,
  q16: `SELECT channel, ${DAY}, MAX(${MINUTE}), ${banded('COUNT(*)')}, ${DISTINCT}
    FROM bid GROUP BY channel, ${DAY}`,
  q17: `SELECT auction, ${DAY}, ${banded('COUNT(*)')}, MIN(price), MAX(price), AVG(price), SUM(price)
    FROM bid GROUP BY auction, ${DAY}`,
  q18: `SELECT auction, bidder, price, channel, url, \`dateTime\`, extra FROM (
      SELECT *, ROW_NUMBER() OVER (PARTITION BY bidder, auction ORDER BY \`dateTime\` DESC) AS place FROM bid
    ) WHERE place <= 1`,
  q19: `SELECT * FROM (
      SELECT *, ROW_NUMBER() OVER (PARTITION BY auction ORDER BY price DESC) AS place FROM bid
    ) WHERE place <= 10`,
  q20: `SELECT ${BID_FIELDS}, ${AUCTION_FIELDS} FROM bid B JOIN auction A ON B.auction = A.id
    WHERE A.category = 10`,
  q21: `SELECT auction, bidder, price, channel,
      CASE LOWER(channel) WHEN 'apple' THEN '0' WHEN 'google' THEN '1' WHEN 'facebook' THEN '2'
        WHEN 'baidu' THEN '3' ELSE ${CHANNEL_ID} END
    FROM bid WHERE ${CHANNEL_ID} IS NOT NULL OR LOWER(channel) IN ('apple', 'google', 'facebook', 'baidu')`,
  q22: `SELECT auction, bidder, price, channel, SPLIT_INDEX(url, '/', 3), SPLIT_INDEX(url, '/', 4),
      SPLIT_INDEX(url, '/', 5) FROM bid`,
  q23: `SELECT bidder, price, channel, url, B.extra AS bid_extra, P.id, name, emailAddress, creditCard, city, state,
      P.extra AS person_extra,
      ${AUCTION_FIELDS}
    FROM bid B JOIN person P ON P.id = B.bidder JOIN auction A ON A.seller = B.bidder`,
};

/** Queries whose results are files. */
const FILED = ['q10'];

/** Queries that Flink is asked. */
export const FLINK_QUERIES = Object.keys(SELECTS);

/** The settings of the public suite. */
const SETTINGS = {
  'table.local-time-zone': 'UTC',
  'table.exec.mini-batch.enabled': true,
  'table.exec.mini-batch.allow-latency': '2s',
  'table.exec.mini-batch.size': 50_000,
  'table.optimizer.distinct-agg.split.enabled': true,
};

/**
 * All statements of a query, divided by blank lines, as `SqlJob` takes them.
 *
 * @param {string} query
 * @param {Parameters<typeof eventTable>[0]} source
 * @param {string | null} scratch a directory for queries that write files; other results are thrown away. Null: each
 *   is given to the client
 */
export function flinkSql(query, source, scratch) {
  const settings = { ...SETTINGS, 'parallelism.default': source.parallelism };
  return [
    ...Object.entries(settings).map(([key, value]) => `SET '${key}' = '${value}'`),
    "CREATE TEMPORARY FUNCTION count_char AS 'millrace.nexmark.CountChar'",
    eventTable(source),
    ...views(source.input),
    `${sinkOf(query, scratch)}${SELECTS[query]}`,
  ].join('\n\n');
}

/** What stands before a query. */
function sinkOf(query, scratch) {
  if (scratch === null) return '';
  if (!FILED.includes(query)) return "CREATE TABLE sink WITH ('connector' = 'blackhole') AS ";
  const options = {
    connector: 'filesystem',
    path: `file://${scratch}/${query}`,
    format: 'csv',
    'sink.partition-commit.trigger': 'partition-time',
    'sink.partition-commit.delay': '1 min',
    'sink.partition-commit.policy.kind': 'success-file',
    'partition.time-extractor.timestamp-pattern': '$day $minute:00',
    'sink.rolling-policy.rollover-interval': '1min',
    'sink.rolling-policy.check-interval': '1min',
  };
  return `CREATE TABLE sink PARTITIONED BY (\`day\`, \`minute\`) WITH (${withOptions(options)}) AS `;
}
