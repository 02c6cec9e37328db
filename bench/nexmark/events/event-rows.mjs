/**
 * Which events a batch holds: their ids and, by kind, their rows. Found once per batch and used by all columns.
 * Callers: the reader and the column writers. Runs on: the slot's thread. Invariant: a batch lies within one block.
 */
import { AUCTION, BID, BLOCK, CYCLE, idOf, kindOf, PERSON } from './event-settings.mjs';

export class EventRows {
  /** Counts what was looked at, so that what depends on it is made once. */
  version = 0;
  /** Number of the first event. */
  from = 0;
  count = 0;
  /** By row: the id, its lower 32 bits, and the cycle and the place in it that it stands for. */
  ids = new Float64Array(BLOCK);
  lows = new Int32Array(BLOCK);
  cycles = new Int32Array(BLOCK);
  places = new Int32Array(BLOCK);
  kinds = new Int32Array(BLOCK);
  /** By kind: the rows of its events, in order, and how many they are. */
  rowsOf = [new Int32Array(BLOCK), new Int32Array(BLOCK), new Int32Array(BLOCK)];
  countOf = [0, 0, 0];
  #settings;

  /** @param {import('./event-settings.mjs').EventSettings} settings */
  constructor(settings) {
    this.#settings = settings;
  }

  /** Looks at the events `from` to `from + count`. */
  locate(from, count) {
    this.version++;
    this.from = from;
    this.count = count;
    if (this.#settings.outOfOrder === 1) this.#fillInOrder();
    else this.#fillScattered();
    this.#findRows();
  }

  #fillInOrder() {
    const { from, count, ids, lows, cycles, places } = this;
    let place = from % CYCLE;
    let cycle = (from - place) / CYCLE;
    const low = from | 0;
    for (let row = 0; row < count; row++) {
      ids[row] = from + row;
      lows[row] = low + row;
      cycles[row] = cycle;
      places[row] = place;
      place++;
      if (place === CYCLE) {
        place = 0;
        cycle++;
      }
    }
  }

  #fillScattered() {
    const { from, count, ids, lows, cycles, places } = this;
    for (let row = 0; row < count; row++) {
      const id = idOf(from + row, this.#settings);
      const place = id % CYCLE;
      ids[row] = id;
      lows[row] = id;
      cycles[row] = (id - place) / CYCLE;
      places[row] = place;
    }
  }

  #findRows() {
    const { count, places, kinds } = this;
    const [people, auctions, bids] = this.rowsOf;
    let peopleCount = 0;
    let auctionCount = 0;
    let bidCount = 0;
    for (let row = 0; row < count; row++) {
      const kind = kindOf(places[row]);
      kinds[row] = kind;
      if (kind === BID) bids[bidCount++] = row;
      else if (kind === AUCTION) auctions[auctionCount++] = row;
      else people[peopleCount++] = row;
    }
    this.countOf[PERSON] = peopleCount;
    this.countOf[AUCTION] = auctionCount;
    this.countOf[BID] = bidCount;
  }
}
