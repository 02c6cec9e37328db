/** Nexmark q8, new users: the people who registered and opened an auction within the same ten seconds. */
import { tumbling } from 'millrace';
import { inEventTime } from './event-time.mjs';

export function q8({ people, auctions }) {
  return inEventTime(people.select('id', 'name', 'dateTime'))
    .keyBy('id')
    .coGroup(inEventTime(auctions.select('seller', 'dateTime')).keyBy('seller'))
    .window(tumbling('10s'))
    .apply((registered, opened, { key, window }) => {
      if (opened.length === 0) return [];
      const names = new Set(registered.map(({ name }) => name));
      return [...names].map((name) => ({ id: key.id, name, starttime: window.start }));
    });
}
