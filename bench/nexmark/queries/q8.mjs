/** Nexmark q8, new users: the people who registered and opened an auction within the same ten seconds. */
import { count, tumbling } from 'millrace';
import { inEventTime } from './event-time.mjs';

const WINDOW = tumbling('10s');

export function q8({ people, auctions }) {
  const newcomers = inEventTime(people)
    .keyBy('id', 'name')
    .window(WINDOW)
    .aggregate({ times: count() });
  const sellers = inEventTime(auctions)
    .keyBy('seller')
    .window(WINDOW)
    .aggregate({ auctions: count() });
  return (
    newcomers
      .keyBy('id')
      .intervalJoin(sellers.keyBy('seller'))
      // Results of the same window have the same time.
      .between(0, 0)
      .apply(({ id, name, windowStart }) => ({ id, name, starttime: windowStart }))
  );
}
