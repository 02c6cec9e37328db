import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { flatName, KIND_FIELDS } from '../../bench/nexmark/events/event-fields.mjs';
import { eventSettings } from '../../bench/nexmark/events/event-settings.mjs';
import { channelNames, channelUrls } from '../../bench/nexmark/events/event-texts.mjs';
import { type Event, type Fields, Reference, type Settings } from './event-reference.js';
import { type FlatEvent, readEvents } from './read-events.js';

const channels = channelNames();
const urls = channelUrls(1);

/** The fields of a flat record that its kind has, as the nested record has them. */
function nested(flat: FlatEvent): Event {
  const kind = String(flat['kind']);
  const fields = KIND_FIELDS[kind as keyof typeof KIND_FIELDS];
  return {
    kind,
    [kind]: Object.fromEntries(fields.map(({ name }) => [name, flat[flatName(kind, name)]])),
  };
}

/** Least and greatest. */
function range(numbers: readonly number[]): readonly number[] {
  return numbers.reduce(
    ([least, most], n) => [Math.min(least, n), Math.max(most, n)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
}

const bidsOf = (events: readonly FlatEvent[]) => events.filter(({ kind }) => kind === 'bid');

describe('events', () => {
  it('are those of the reference, field by field', () => {
    for (const options of [
      { events: 2200 },
      { events: 1500, eventsPerSecond: 7, outOfOrder: 7, startMs: 12_345 },
      { events: 1200, outOfOrder: 1000, eventsPerSecond: 10_000_000 },
    ]) {
      const settings: Settings = eventSettings(options);
      const reference = new Reference(settings, channels, urls);
      const { events } = readEvents(options);
      expect(events).toHaveLength(options.events);
      // The reference adds up what came before in the block, so it is asked for some events only.
      const numbers = [0, 1, 2, 3, 4, 5, 49, 50, 51, 52, 999, 1000, 1001, 1050, 1120, 1199];
      for (const number of numbers) {
        expect(nested(events[number])).toEqual(reference.event(number));
      }
    }
  });

  it('hold nothing in the fields of other kinds', () => {
    const { events } = readEvents({ events: 60 });
    const others = events.flatMap((event) =>
      Object.entries(event)
        .filter(([name]) => !['kind', 'dateTime', event['kind']].includes(name.split('.')[0]))
        .map(([, value]) => value),
    );
    expect([...new Set(others)].sort()).toEqual(['', 0]);
  });

  it('are the same at any parallelism, from any position and in batches of any size', () => {
    const { events: all } = readEvents({ events: 3300 });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 1100 }),
        fc.integer({ min: 0, max: 2000 }),
        fc.integer({ min: 0, max: 300 }),
        (parallelism, batchRows, skipped, columns) => {
          const names = Object.keys(all[0]).filter(
            (_, index) => (columns >> (index % 9)) % 2 === 0,
          );
          const options = { parallelism, batchRows, columns: names };
          const found: FlatEvent[] = [];
          for (let split = 0; split < parallelism; split++) {
            const before = readEvents({ events: 3300 }, { ...options, split, rows: skipped });
            const { position } = before;
            const after = readEvents({ events: 3300 }, { ...options, split, position });
            found.push(...before.events, ...after.events);
            expect(before.events.length + after.events.length).toBe(before.split.rows);
          }
          const wanted = all.map((event) =>
            Object.fromEntries(names.map((name) => [name, event[name]])),
          );
          const texts = (events: readonly FlatEvent[]) =>
            events.map((event) => JSON.stringify(event));
          expect(texts(found).sort()).toEqual(texts(wanted).sort());
        },
      ),
      { numRuns: 8 },
    );
  });

  it('depend on the seed', () => {
    const one = readEvents({ events: 100, seed: 1 }).events;
    const two = readEvents({ events: 100, seed: 2 }).events;
    const same = one.filter((event, row) => event['bid.price'] === two[row]['bid.price']);
    expect(same.every(({ kind }) => kind !== 'bid')).toBe(true);
    expect(one.map(({ dateTime }) => dateTime)).toEqual(two.map(({ dateTime }) => dateTime));
  });

  it('keep on beyond 32 bits', () => {
    const far = 2 ** 33;
    const options = { position: far, rows: 100, columns: ['kind', 'bid.auction', 'bid.price'] };
    const { events } = readEvents({ events: far + 1000 }, options);
    const near = readEvents({ events: 1000 }, { ...options, position: 0 }).events;
    expect(events).toHaveLength(100);
    const lastAuction = Math.floor(far / 50) * 3 + 1000;
    for (const bid of bidsOf(events)) {
      expect(Number(bid['bid.auction'])).toBeGreaterThan(lastAuction - 210);
      expect(Number(bid['bid.auction'])).toBeLessThan(lastAuction + 20);
    }
    expect(events.map((event) => event['bid.price'])).not.toEqual(
      near.map((event) => event['bid.price']),
    );
  });
});

describe('the distribution of events', () => {
  const { events } = readEvents({ events: 100_000 });
  const bids = bidsOf(events);
  const share = (of: readonly FlatEvent[], test: (event: FlatEvent) => boolean) =>
    of.filter(test).length / of.length;
  const numbersOf = (name: string) => bids.map((bid) => Number(bid[name]));

  it('has one person, three auctions and 46 bids in 50', () => {
    for (const [kind, part] of [
      ['person', 0.02],
      ['auction', 0.06],
      ['bid', 0.92],
    ] as const) {
      expect(share(events, (event) => event.kind === kind)).toBe(part);
    }
    expect(events.slice(0, 6).map(({ kind }) => kind)).toEqual([
      'person',
      'auction',
      'auction',
      'auction',
      'bid',
      'bid',
    ]);
  });

  it('makes half of the bids on hot auctions and three quarters by hot bidders', () => {
    expect(share(bids, (bid) => Number(bid['bid.auction']) % 100 === 0)).toBeCloseTo(0.505, 1);
    expect(share(bids, (bid) => Number(bid['bid.bidder']) % 100 === 1)).toBeCloseTo(0.7525, 1);
    const auctions = events.filter(({ kind }) => kind === 'auction');
    expect(share(auctions, (auction) => Number(auction['auction.seller']) % 100 === 0)).toBeCloseTo(
      0.7525,
      1,
    );
  });

  it('gives bidders ids 1000 above those of people, and auctions at most ten that do not exist yet', () => {
    const people = events.filter(({ kind }) => kind === 'person');
    expect(people[0]['person.id']).toBe(1000);
    expect(range(numbersOf('bid.bidder'))[0]).toBe(2000);
    let last = 999;
    const wrong = events.filter((event) => {
      if (event['kind'] === 'auction') return event['auction.id'] !== ++last;
      const auction = Number(event['bid.auction']);
      const isOpen = auction <= last + 10 && auction >= last - 199;
      return event['kind'] === 'bid' && !isOpen;
    });
    expect(wrong).toEqual([]);
  });

  it('spreads prices over six orders of magnitude alike', () => {
    const counts = [0, 0, 0, 0, 0, 0];
    const prices = numbersOf('bid.price');
    const [least, most] = range(prices);
    expect(least).toBeGreaterThanOrEqual(100);
    expect(most).toBeLessThanOrEqual(100_000_000);
    for (const price of prices) counts[Math.min(5, Math.floor(Math.log10(price)) - 2)]++;
    for (const count of counts) expect(count / bids.length).toBeCloseTo(1 / 6, 1.7);
  });

  it('makes texts of the sizes of the original', () => {
    const lengths = bids.map((bid) => String(bid['bid.extra']).length);
    expect(range(lengths)).toEqual([54, 81]);
    for (const [kind, bytes] of [
      ['person', 200],
      ['auction', 500],
    ] as const) {
      const records = events.filter((event) => event.kind === kind).map(nested);
      const sizes = records.map((record) =>
        Object.entries(record[kind] as Fields)
          .filter(([name]) => name !== 'dateTime' || kind === 'auction')
          .reduce((sum, [, value]) => sum + (typeof value === 'string' ? value.length : 8), 0),
      );
      const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
      // The original leaves a number out of its reckoning of auctions.
      expect(Math.abs(mean - bytes)).toBeLessThan(kind === 'auction' ? 12 : 3);
    }
  });

  it('gives half of the bids to four channels, and most of the others a channel id in the url', () => {
    const hot = (bid: FlatEvent) => !String(bid['bid.channel']).startsWith('channel-');
    expect(share(bids, hot)).toBeCloseTo(0.5, 1);
    const cold = bids.filter((bid) => !hot(bid));
    expect(share(cold, (bid) => String(bid['bid.url']).includes('&channel_id='))).toBeCloseTo(
      0.9,
      1,
    );
    for (const bid of bids.slice(0, 1000)) {
      expect(bid['bid.url']).toMatch(
        /^https:\/\/www\.nexmark\.com(\/[a-z_]{3,4}){3}\/item\.htm\?query=1(&channel_id=-?\d+)?$/,
      );
    }
    expect(
      channelUrls(1)[5].endsWith('-2147483648') || !channelUrls(1)[5].includes('channel_id'),
    ).toBe(true);
  });

  it('advances in event time by the density, out of order only within a group', () => {
    expect(events[100].dateTime).toBe(Date.UTC(2024, 0, 1) + 1);
    const scattered = readEvents({ events: 10_000, outOfOrder: 500, eventsPerSecond: 1000 }).events;
    const times = scattered.map(({ dateTime }) => Number(dateTime) - Date.UTC(2024, 0, 1));
    expect([...times].sort((a, b) => a - b)).toEqual(times.map((_, index) => index));
    expect(times[1]).toBe(453);
    expect(times.every((time, row) => Math.floor(time / 500) === Math.floor(row / 500))).toBe(true);
  });

  it('lets auctions last twice the time in which a hundred are opened, at most', () => {
    const auctions = events.filter(({ kind }) => kind === 'auction');
    const lasts = auctions.map(
      (auction) => Number(auction['auction.expires']) - Number(auction['dateTime']),
    );
    expect(range(lasts)).toEqual([1, 34]);
  });
});

describe('eventSettings', () => {
  it('refuses what cannot be, by name', () => {
    expect(() => eventSettings({ events: -1 })).toThrow(/events cannot be -1/);
    expect(() => eventSettings({ events: 2 ** 36 })).toThrow(/events cannot be/);
    expect(() => eventSettings({ events: 1, eventsPerSecond: 0 })).toThrow(/eventsPerSecond/);
    expect(() => eventSettings({ events: 1, outOfOrder: 953 })).toThrow(/outOfOrder/);
    expect(() => eventSettings({ events: 1, speed: 2 } as never)).toThrow(/speed/);
  });
});
