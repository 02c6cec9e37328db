/** The fields of auctions. Callers: `event-columns.mjs`. Runs on: the slot's thread. */
import { ExtraWriter, NumberWriter, OwnTexts, TextWriter } from './column-writers.mjs';
import { priceOf } from './event-prices.mjs';
import { bitsOf, USE, unitOf, useSeed } from './event-random.mjs';
import {
  AUCTION,
  CATEGORIES,
  FIRST_CATEGORY,
  FIRST_ID,
  HOT_EVERY,
  horizonMs,
  lastAuction,
  LEAD,
  timeOf,
} from './event-settings.mjs';
import { writeWords } from './event-texts.mjs';

const ITEM_NAME_MAX = 20;
const DESCRIPTION_MAX = 100;
/** Size of an auction without its texts, as the original reckons it. */
const FIXED_BYTES = 48;

/** By field: what makes its column. `texts` are those that the fields share. */
export const AUCTION_WRITERS = {
  id: (field) =>
    numbers(
      field,
      () =>
        (row, { cycles, places }) =>
          auctionId(cycles, places, row),
    ),
  itemName: (field, settings, texts) => new TextWriter(field, itemNames(settings, texts)),
  description: (field, settings, texts) => new TextWriter(field, descriptions(settings, texts)),
  initialBid: (field, settings) => numbers(field, (from) => initialBidAt(settings, from)),
  reserve: (field, settings) => numbers(field, (from) => reserveAt(settings, from)),
  expires: (field, settings) => numbers(field, (from) => expiresAt(settings, from)),
  seller: (field, settings) => numbers(field, (from) => sellerAt(settings, from)),
  category: (field, settings) => numbers(field, (from) => categoryAt(settings, from)),
  extra: (field, settings, shared) =>
    new ExtraWriter(field, AUCTION, {
      settings,
      texts: shared,
      average: settings.auctionBytes,
      sizes: (rows, texts) => {
        const names = itemNames(settings, texts).of(rows);
        const words = descriptions(settings, texts).of(rows);
        return (row) => FIXED_BYTES + names.length(row) + words.length(row);
      },
      lengthUse: USE.auctionExtra,
      startUse: USE.auctionExtraStart,
    }),
};

/** A column of numbers; `at(from)` gives what makes the number of a row, in a batch that begins at event `from`. */
function numbers(field, at) {
  return new NumberWriter(field, (events, values) => {
    const valueOf = at(events.from);
    const rows = events.rowsOf[AUCTION];
    const count = events.countOf[AUCTION];
    for (let index = 0; index < count; index++) {
      values[rows[index]] = valueOf(rows[index], events);
    }
  });
}

function auctionId(cycles, places, row) {
  return FIRST_ID + lastAuction(cycles[row], places[row]);
}

function initialBidAt({ seed }, from) {
  const use = useSeed(seed, USE.auctionInitialBid, from);
  return (row, { lows }) => priceOf(use, lows[row]);
}

/** The initial bid and a price more. */
function reserveAt({ seed }, from) {
  const initialBid = useSeed(seed, USE.auctionInitialBid, from);
  const use = useSeed(seed, USE.auctionReserve, from);
  return (row, { lows }) => priceOf(initialBid, lows[row]) + priceOf(use, lows[row]);
}

function categoryAt({ seed }, from) {
  const use = useSeed(seed, USE.auctionCategory, from);
  return (row, { lows }) => FIRST_CATEGORY + Math.floor(unitOf(use, lows[row]) * CATEGORIES);
}

/** The first of the newest hundred people, or any active one. */
function sellerAt({ seed, hotSellerRatio, activePeople }, from) {
  const use = useSeed(seed, USE.auctionSeller, from);
  return (row, { lows, cycles }) => {
    const last = cycles[row];
    const drawn = unitOf(use, lows[row]) * hotSellerRatio;
    if (drawn >= 1) return FIRST_ID + last - (last % HOT_EVERY);
    const active = Math.min(last + 1, activePeople);
    return FIRST_ID + last + 1 - active + Math.floor(drawn * (active + LEAD));
  };
}

function expiresAt(settings, from) {
  const use = useSeed(settings.seed, USE.auctionLength, from);
  return (row, { ids, lows }) => {
    const longestMs = Math.max(2 * horizonMs(ids[row], settings), 1);
    return timeOf(ids[row], settings) + 1 + Math.floor(unitOf(use, lows[row]) * longestMs);
  };
}

function itemNames({ seed }, texts) {
  return words(texts, seed, USE.auctionItemName, ITEM_NAME_MAX);
}

function descriptions({ seed }, texts) {
  return words(texts, seed, USE.auctionDescription, DESCRIPTION_MAX);
}

function words(texts, seed, use, lengthMax) {
  const known = texts.get(use);
  if (known !== undefined) return known;
  const made = new OwnTexts(AUCTION, lengthMax, (from) => {
    const bits = useSeed(seed, use, from);
    return (bytes, start, low) => writeWords(bytes, start, bitsOf(bits, low), lengthMax);
  });
  texts.set(use, made);
  return made;
}
