/** The fields of bids. Callers: `event-columns.mjs`. Runs on: the slot's thread. */
import { Codes, DictionaryWriter, ExtraWriter, NumberWriter } from './column-writers.mjs';
import { priceOf } from './event-prices.mjs';
import { USE, unitOf, useSeed } from './event-random.mjs';
import { BID, FIRST_ID, HOT_EVERY, lastAuction, LEAD } from './event-settings.mjs';
import { channelNames, channelUrls, COLD_CHANNELS, HOT_CHANNELS } from './event-texts.mjs';

/** Half of the bids come through hot channels. */
const HOT_CHANNELS_RATIO = 2;
/** Size of a bid without its texts, as the original reckons it. */
const FIXED_BYTES = 32;

/** By field: what makes its column. `shared` holds what several of them need. */
export const BID_WRITERS = {
  auction: (field, settings) => new NumberWriter(field, auctionsOf(settings)),
  bidder: (field, settings) => new NumberWriter(field, biddersOf(settings)),
  price: (field, settings) => new NumberWriter(field, pricesOf(settings)),
  channel: (field, settings, shared) =>
    new DictionaryWriter(field, channelNames(), channelCodes(settings, shared)),
  url: (field, settings, shared) =>
    new DictionaryWriter(field, channelUrls(settings.seed), channelCodes(settings, shared)),
  extra: (field, settings, texts) =>
    new ExtraWriter(field, BID, {
      settings,
      texts,
      average: settings.bidBytes,
      sizes: () => () => FIXED_BYTES,
      lengthUse: USE.bidExtra,
      startUse: USE.bidExtraStart,
    }),
};

/** The hot one of the newest hundred auctions, or any of those in flight and a few that do not exist yet. */
function auctionsOf({ seed, hotAuctionRatio, inFlightAuctions }) {
  return ({ from, lows, cycles, places, rowsOf, countOf }, values) => {
    const use = useSeed(seed, USE.bidAuction, from);
    const rows = rowsOf[BID];
    const count = countOf[BID];
    for (let index = 0; index < count; index++) {
      const row = rows[index];
      const last = lastAuction(cycles[row], places[row]);
      const drawn = unitOf(use, lows[row]) * hotAuctionRatio;
      if (drawn >= 1) {
        values[row] = FIRST_ID + last - (last % HOT_EVERY);
      } else {
        const first = Math.max(last - inFlightAuctions, 0);
        values[row] = FIRST_ID + first + Math.floor(drawn * (last - first + 1 + LEAD));
      }
    }
  };
}

/** The second of the newest hundred people, or any active one. The offset of ids counts twice, as in the original. */
function biddersOf({ seed, hotBidderRatio, activePeople }) {
  return ({ from, lows, cycles, rowsOf, countOf }, values) => {
    const use = useSeed(seed, USE.bidBidder, from);
    const rows = rowsOf[BID];
    const count = countOf[BID];
    for (let index = 0; index < count; index++) {
      const row = rows[index];
      const last = cycles[row];
      const drawn = unitOf(use, lows[row]) * hotBidderRatio;
      if (drawn >= 1) {
        values[row] = 2 * FIRST_ID + last - (last % HOT_EVERY) + 1;
      } else {
        const active = Math.min(last + 1, activePeople);
        values[row] = 2 * FIRST_ID + last + 1 - active + Math.floor(drawn * (active + LEAD));
      }
    }
  };
}

function pricesOf({ seed }) {
  return ({ from, lows, rowsOf, countOf }, values) => {
    const use = useSeed(seed, USE.bidPrice, from);
    const rows = rowsOf[BID];
    const count = countOf[BID];
    for (let index = 0; index < count; index++) {
      values[rows[index]] = priceOf(use, lows[rows[index]]);
    }
  };
}

/** Codes of channels, which are those of their urls too. */
function channelCodes(settings, shared) {
  const known = shared.get(USE.bidChannel);
  if (known !== undefined) return known;
  const made = new Codes(channelsOf(settings));
  shared.set(USE.bidChannel, made);
  return made;
}

function channelsOf({ seed }) {
  return ({ from, lows, rowsOf, countOf }, codes) => {
    const use = useSeed(seed, USE.bidChannel, from);
    const rows = rowsOf[BID];
    const count = countOf[BID];
    for (let index = 0; index < count; index++) {
      codes[rows[index]] = 1 + channelOf(unitOf(use, lows[rows[index]]));
    }
  };
}

function channelOf(unit) {
  const drawn = unit * HOT_CHANNELS_RATIO;
  if (drawn >= 1) return Math.floor((drawn - 1) * HOT_CHANNELS.length);
  return HOT_CHANNELS.length + Math.floor(drawn * COLD_CHANNELS);
}
