/**
 * Random numbers that are a pure function of a seed, a use and an event, so that any event can be made by itself, in
 * any thread and by any program: 32-bit integer arithmetic alone, which Java has too (`bench/rivals/flink`). Callers:
 * the column writers of this folder, the reference of its tests. Runs on: any thread; pure.
 */

const GOLDEN = 0x9e3779b9;
/** Events that share their seeds; numbers beyond 32 bits differ by their era. */
const ERA_EVENTS = 2 ** 30;
/** What turns 32 bits, taken as unsigned, into a number in [0, 1). */
const UNIT = 2 ** -32;

/** What random numbers are drawn for. The numbers are part of the events' definition: never change them. */
export const USE = Object.freeze({
  letters: 1,
  urls: 2,
  bidAuction: 3,
  bidBidder: 4,
  bidPrice: 5,
  bidChannel: 6,
  bidExtra: 7,
  bidExtraStart: 8,
  auctionSeller: 9,
  auctionCategory: 10,
  auctionInitialBid: 11,
  auctionReserve: 12,
  auctionLength: 13,
  auctionItemName: 14,
  auctionDescription: 15,
  auctionExtra: 16,
  auctionExtraStart: 17,
  personName: 18,
  personEmailUser: 19,
  personEmailHost: 20,
  personCard: 21,
  personCity: 22,
  personState: 23,
  personExtra: 24,
  personExtraStart: 25,
});

/**
 * Mixes 32 bits, one to one ("lowbias32" by Chris Wellons).
 *
 * @param {number} value
 * @returns {number} a signed integer
 */
export function mix32(value) {
  let bits = value ^ (value >>> 16);
  bits = Math.imul(bits, 0x21f0aaad);
  bits ^= bits >>> 15;
  bits = Math.imul(bits, 0x735a2d97);
  return bits ^ (bits >>> 15);
}

/**
 * The seed of a use for the events around event `number`.
 *
 * @param {number} seed
 * @param {number} use
 * @param {number} number
 */
export function useSeed(seed, use, number) {
  return mix32(mix32((seed | 0) ^ Math.imul(use, GOLDEN)) ^ Math.floor(number / ERA_EVENTS));
}

/**
 * 32 random bits of an event, as a signed integer.
 *
 * @param {number} seed of `useSeed`
 * @param {number} low lower 32 bits of the event's id
 */
export function bitsOf(seed, low) {
  return mix32(seed ^ Math.imul(low, GOLDEN));
}

/**
 * A number in [0, 1) of an event.
 *
 * @param {number} seed of `useSeed`
 * @param {number} low lower 32 bits of the event's id
 */
export function unitOf(seed, low) {
  return (mix32(seed ^ Math.imul(low, GOLDEN)) >>> 0) * UNIT;
}
