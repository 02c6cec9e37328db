/**
 * Events of few people, auctions, prices and times, in a file: ties, times on the bounds of windows, sessions that end
 * exactly at their gap and bids at the very ends of auctions come up all the time, which those of the generator hardly
 * ever are. Callers: `queries.test.ts`.
 */
import { writeFileSync } from 'node:fs';
import { randomBelow } from '../../bench/lib/random.mjs';

const STEP_MS = 500;
const PEOPLE = 12;
const AUCTIONS = 25;

/** Writes events whose times come at most `lateMs` out of order. */
export function writeCoarseEvents(path: string, events: number, seed: number, lateMs: number) {
  const below = randomBelow(seed);
  const pick = <T>(...choices: T[]) => choices[below(choices.length)];
  let now = Date.UTC(2024, 0, 1, 23, 59, 40);
  let [people, auctions] = [0, 0];
  const lines = Array.from({ length: events }, () => {
    now += below(20) === 0 ? pick(5000, 10_000, 20_000) : STEP_MS * below(2);
    const dateTime = now - STEP_MS * below(lateMs / STEP_MS + 1);
    if (people < PEOPLE && below(10) === 0) return personLine(people++, dateTime);
    if (auctions < AUCTIONS && below(5) === 0) return auctionLine(auctions++, dateTime);
    const bid = {
      auction: below(AUCTIONS),
      bidder: below(PEOPLE),
      price: 1_200_000 + below(3),
      channel: pick('Apple', 'channel-7'),
      url: pick('https://a.b/c/d/e', 'https://a.b/c/d/e/item.htm?query=1&channel_id=5'),
      dateTime,
      extra: `${below(1e6)} c,"`,
    };
    return JSON.stringify({ kind: 'bid', bid });
  });
  writeFileSync(path, `${lines.join('\n')}\n`);

  function personLine(id: number, dateTime: number) {
    const state = pick('OR', 'WA');
    const [name, emailAddress, creditCard] = [`name ${id}`, 'a@b.c', '1 2 3 4'];
    const person = { id, name, emailAddress, creditCard, city: 'here', state, dateTime, extra: '' };
    return JSON.stringify({ kind: 'person', person });
  }

  function auctionLine(id: number, dateTime: number) {
    const auction = {
      id,
      itemName: `item ${id}`,
      description: 'old, "as new"',
      initialBid: 1,
      reserve: 2,
      dateTime,
      expires: dateTime + 10 * STEP_MS * below(10),
      seller: below(PEOPLE),
      category: 10 + below(2),
      extra: '',
    };
    return JSON.stringify({ kind: 'auction', auction });
  }
}
