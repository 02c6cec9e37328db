/**
 * What decides the events of Nexmark, and the arithmetic of their numbers, ids and times as in nexmark/nexmark: of
 * every 50 events the first is a person, the next three are auctions, the others bids. Callers: everything of this
 * folder. Runs on: any thread; pure. Invariant: an event is a function of the settings and its number alone.
 */
import { MillraceError } from 'millrace';

export const PERSON = 0;
export const AUCTION = 1;
export const BID = 2;
export const KINDS = Object.freeze(['person', 'auction', 'bid']);

/** Events of a cycle, and the first places of auctions and bids in it. */
export const CYCLE = 50;
export const AUCTIONS_FROM = 1;
export const BIDS_FROM = 4;
const AUCTIONS = BIDS_FROM - AUCTIONS_FROM;

export const FIRST_ID = 1000;
export const FIRST_CATEGORY = 10;
export const CATEGORIES = 5;
/** Every so many people and auctions, one is hot. */
export const HOT_EVERY = 100;
/** Ids that may be used before they exist. */
export const LEAD = 10;
/** Scatters the events of a group that is out of order. */
const SCATTER = 953;

/** Ids of people and auctions are to fit 32 bits. */
const EVENTS_MAX = 2 ** 35;

/** Events of a block: what is dealt to a split at a time, and what shares the place of its `extra` texts. */
export const BLOCK = 1000;

/**
 * @typedef {object} EventSettings
 * @property {number} events how many there are
 * @property {number} seed
 * @property {number} eventsPerSecond of event time: the density
 * @property {number} startMs event time of the first event
 * @property {number} outOfOrder events of a group within which times are out of order; 1 for none
 * @property {number} hotAuctionRatio all but one in so many bids are on a hot auction
 * @property {number} hotSellerRatio
 * @property {number} hotBidderRatio
 * @property {number} inFlightAuctions auctions that bids are on, beside the hot one
 * @property {number} activePeople people who bid and sell, beside the hot ones
 * @property {number} personBytes average size of a person
 * @property {number} auctionBytes
 * @property {number} bidBytes
 */

const DEFAULTS = Object.freeze({
  seed: 1,
  eventsPerSecond: 100_000,
  startMs: Date.UTC(2024, 0, 1),
  outOfOrder: 1,
  hotAuctionRatio: 2,
  hotSellerRatio: 4,
  hotBidderRatio: 4,
  inFlightAuctions: 100,
  activePeople: 1000,
  personBytes: 200,
  auctionBytes: 500,
  bidBytes: 100,
});

/** Least values; all settings but the density are whole numbers. */
const LEAST = Object.freeze({
  events: 0,
  seed: 0,
  startMs: 0,
  personBytes: 0,
  auctionBytes: 0,
  bidBytes: 0,
});

/**
 * Fills in the defaults of nexmark/nexmark and refuses what cannot be.
 *
 * @param {{ events: number } & Partial<EventSettings>} options
 * @returns {Readonly<EventSettings>}
 */
export function eventSettings(options) {
  const settings = { ...DEFAULTS, ...withoutUndefined(options) };
  for (const [name, value] of Object.entries(settings)) {
    if (!(name in DEFAULTS) && name !== 'events') {
      throw invalid(name, value, `There are: ${['events', ...Object.keys(DEFAULTS)].join(', ')}.`);
    }
    if (name === 'eventsPerSecond') {
      if (!(value > 0 && Number.isFinite(value)))
        throw invalid(name, value, 'Give a number above 0.');
    } else if (name === 'events' && value > EVENTS_MAX) {
      throw invalid(name, value, `There are ${EVENTS_MAX} at most.`);
    } else if (!Number.isSafeInteger(value) || value < (LEAST[name] ?? 1)) {
      throw invalid(name, value, `Give a whole number of at least ${LEAST[name] ?? 1}.`);
    }
  }
  if (settings.outOfOrder % SCATTER === 0) {
    throw invalid(
      'outOfOrder',
      settings.outOfOrder,
      `Multiples of ${SCATTER} would repeat events.`,
    );
  }
  return Object.freeze(settings);
}

function withoutUndefined(options) {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

function invalid(name, value, advice) {
  return new MillraceError('OPTION_INVALID', `Nexmark events: ${name} cannot be ${value}.`, {
    advice,
  });
}

/**
 * The id of event `number`, which its kind, its time and its contents depend on: the number, but for the scattered
 * groups of events that are out of order.
 *
 * @param {number} number
 * @param {EventSettings} settings
 */
export function idOf(number, { outOfOrder }) {
  if (outOfOrder === 1) return number;
  return number - (number % outOfOrder) + ((number * SCATTER) % outOfOrder);
}

/**
 * Event time of an event.
 *
 * @param {number} id
 * @param {EventSettings} settings
 */
export function timeOf(id, { startMs, eventsPerSecond }) {
  const gapUs = 1_000_000 / eventsPerSecond;
  return startMs + Math.floor(Math.floor(id * gapUs) / 1000);
}

/**
 * The kind of the event at a place of its cycle.
 *
 * @param {number} place
 */
export function kindOf(place) {
  if (place >= BIDS_FROM) return BID;
  return place < AUCTIONS_FROM ? PERSON : AUCTION;
}

/**
 * The newest auction, counted from 0, when an auction or bid is made; the auction itself when it is one. The newest
 * person is the cycle.
 *
 * @param {number} cycle
 * @param {number} place
 */
export function lastAuction(cycle, place) {
  return cycle * AUCTIONS + Math.min(place, BIDS_FROM - 1) - AUCTIONS_FROM;
}

/**
 * Milliseconds until `inFlightAuctions` more auctions have been opened after event `id`, which half of the auctions
 * last longer than.
 *
 * @param {number} id
 * @param {EventSettings} settings
 */
export function horizonMs(id, settings) {
  const events = Math.floor((settings.inFlightAuctions * CYCLE) / AUCTIONS);
  return timeOf(id + events, settings) - timeOf(id, settings);
}
