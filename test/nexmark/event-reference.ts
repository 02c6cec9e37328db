/**
 * Nexmark's events one at a time as objects, written down as plainly as can be: what the columnar generator is compared
 * with. Callers: the tests of this folder. It shares the draws of random numbers and nothing else.
 */
import { bitsOf, mix32, USE, unitOf, useSeed } from '../../bench/nexmark/events/event-random.mjs';
import { CITIES, letterBlock, NAMES, STATES } from '../../bench/nexmark/events/event-texts.mjs';

export interface Settings {
  readonly events: number;
  readonly seed: number;
  readonly eventsPerSecond: number;
  readonly startMs: number;
  readonly outOfOrder: number;
}

export type Fields = Record<string, number | string>;
export type Event = { kind: string } & Record<string, string | Fields>;

const BLOCK = 1000;
const LETTERS = 2 ** 21;

export class Reference {
  readonly #settings: Settings;
  readonly #letters: Uint8Array;
  readonly #channels: readonly string[];
  readonly #urls: readonly string[];

  constructor(settings: Settings, channels: readonly string[], urls: readonly string[]) {
    this.#settings = settings;
    this.#letters = letterBlock(settings.seed, LETTERS);
    this.#channels = channels;
    this.#urls = urls;
  }

  event(number: number): Event {
    const { kind, fields, bytes } = this.#withoutExtra(number);
    const block = Math.floor(number / BLOCK);
    const starts = {
      person: USE.personExtraStart,
      auction: USE.auctionExtraStart,
      bid: USE.bidExtraStart,
    };
    const seed = useSeed(this.#settings.seed, starts[kind], number);
    let at = Math.floor((unitOf(seed, block) * LETTERS) / 2);
    for (let before = block * BLOCK; before < number; before++) {
      const other = this.#withoutExtra(before);
      if (other.kind === kind) at += this.#extraLength(kind, before, other.bytes);
    }
    const end = at + this.#extraLength(kind, number, bytes);
    const extra = String.fromCharCode(...this.#letters.subarray(at, end));
    return { kind, [kind]: { ...fields, extra } };
  }

  #idOf(number: number): number {
    const group = this.#settings.outOfOrder;
    return Math.floor(number / group) * group + ((number * 953) % group);
  }

  #timeOf(id: number): number {
    const { startMs, eventsPerSecond } = this.#settings;
    return startMs + Math.floor(Math.floor(id * (1_000_000 / eventsPerSecond)) / 1000);
  }

  #extraLength(kind: 'person' | 'auction' | 'bid', number: number, bytes: number): number {
    const [average, use] = {
      person: [200, USE.personExtra] as const,
      auction: [500, USE.auctionExtra] as const,
      bid: [100, USE.bidExtra] as const,
    }[kind];
    const room = average - bytes;
    const spread = Math.round(room * 0.2);
    return room - spread + this.#draw(use, number, 2 * spread);
  }

  /** A whole number below `below`. */
  #draw(use: number, number: number, below: number): number {
    return Math.floor(this.#unit(use, number) * below);
  }

  #unit(use: number, number: number): number {
    return unitOf(useSeed(this.#settings.seed, use, number), this.#idOf(number) | 0);
  }

  /** Null with a chance of 1 - 1 / ratio: the hot one; else one of `count`. */
  #cold(use: number, number: number, ratio: number, count: number): number | null {
    const drawn = this.#unit(use, number) * ratio;
    return drawn >= 1 ? null : Math.floor(drawn * count);
  }

  #price(use: number, number: number): number {
    return Math.round(10 ** (this.#unit(use, number) * 6) * 100);
  }

  #words(use: number, number: number, lengthMax: number): string {
    const bits = bitsOf(useSeed(this.#settings.seed, use, number), this.#idOf(number) | 0);
    const length = 3 + Math.floor(((mix32(bits) >>> 0) / 2 ** 32) * (lengthMax - 3));
    const letter = (index: number) => {
      const draw = mix32(bits ^ Math.imul((index >> 1) + 1, 0x9e3779b9)) >>> 0;
      const unit = (index % 2 === 0 ? draw % 65536 : Math.floor(draw / 65536)) / 65536;
      const rest = unit * 13 - Math.floor(unit * 13);
      return unit * 13 < 1 ? ' ' : String.fromCharCode(97 + Math.floor(rest * 26));
    };
    return Array.from({ length }, (_, index) => letter(index))
      .join('')
      .trim();
  }

  #withoutExtra(number: number) {
    const id = this.#idOf(number);
    const dateTime = this.#timeOf(id);
    const cycle = Math.floor(id / 50);
    const place = id % 50;
    const active = Math.min(cycle + 1, 1000);
    const person = (cold: number | null) =>
      cold === null ? Math.floor(cycle / 100) * 100 : cycle + 1 - active + cold;
    if (place === 0) return this.#person(number, cycle, dateTime);
    if (place < 4) {
      const seller = person(this.#cold(USE.auctionSeller, number, 4, active + 10));
      return this.#auction(number, cycle * 3 + place - 1, seller, dateTime);
    }
    const last = cycle * 3 + 2;
    const first = Math.max(last - 100, 0);
    const cold = this.#cold(USE.bidAuction, number, 2, last - first + 11);
    const auction = cold === null ? Math.floor(last / 100) * 100 : first + cold;
    const bidder = this.#cold(USE.bidBidder, number, 4, active + 10);
    const channel = this.#cold(USE.bidChannel, number, 2, 10_000);
    const hot = Math.floor((this.#unit(USE.bidChannel, number) * 2 - 1) * 4);
    const fields: Fields = {
      auction: 1000 + auction,
      bidder: 2000 + person(bidder) + (bidder === null ? 1 : 0),
      price: this.#price(USE.bidPrice, number),
      channel: this.#channels[channel === null ? hot : channel + 4],
      url: this.#urls[channel === null ? hot : channel + 4],
      dateTime,
    };
    return { kind: 'bid' as const, fields, bytes: 32 };
  }

  #auction(number: number, auction: number, seller: number, dateTime: number) {
    const initialBid = this.#price(USE.auctionInitialBid, number);
    const horizonMs = this.#timeOf(this.#idOf(number) + 1666) - dateTime;
    const itemName = this.#words(USE.auctionItemName, number, 20);
    const description = this.#words(USE.auctionDescription, number, 100);
    const fields: Fields = {
      id: 1000 + auction,
      itemName,
      description,
      initialBid,
      reserve: initialBid + this.#price(USE.auctionReserve, number),
      dateTime,
      expires: dateTime + 1 + this.#draw(USE.auctionLength, number, Math.max(2 * horizonMs, 1)),
      seller: 1000 + seller,
      category: 10 + this.#draw(USE.auctionCategory, number, 5),
    };
    return { kind: 'auction' as const, fields, bytes: 48 + itemName.length + description.length };
  }

  #person(number: number, person: number, dateTime: number) {
    const user = this.#words(USE.personEmailUser, number, 7);
    const host = this.#words(USE.personEmailHost, number, 5);
    const bits = bitsOf(
      useSeed(this.#settings.seed, USE.personCard, number),
      this.#idOf(number) | 0,
    );
    const group = (index: number) =>
      String(Math.floor(((mix32(bits ^ index) >>> 0) / 2 ** 32) * 10_000)).padStart(4, '0');
    const fields: Fields = {
      id: 1000 + person,
      name: NAMES[this.#draw(USE.personName, number, NAMES.length)],
      emailAddress: `${user}@${host}.com`,
      creditCard: [1, 2, 3, 4].map(group).join(' '),
      city: CITIES[this.#draw(USE.personCity, number, CITIES.length)],
      state: STATES[this.#draw(USE.personState, number, STATES.length)],
      dateTime,
    };
    const texts = [fields.name, fields.emailAddress, fields.creditCard, fields.city, fields.state];
    return { kind: 'person' as const, fields, bytes: 8 + texts.join('').length };
  }
}
