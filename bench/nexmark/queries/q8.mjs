/**
 * Nexmark q8, new users: the people who registered and opened an auction within the same ten seconds. Both are counted
 * by person and window in one aggregation, which pairs them without keeping their records.
 */
import { col, lit, max, sum, tumbling } from 'millrace';
import { inEventTime } from './event-time.mjs';

export function q8({ people, auctions }) {
  const registered = inEventTime(people).select({ id: 'id', name: 'name', opened: lit(0) });
  const opened = inEventTime(auctions).select({
    id: 'seller',
    name: lit(null).cast('utf8'),
    opened: lit(1),
  });
  return registered
    .union(opened)
    .keyBy('id')
    .window(tumbling('10s'))
    .aggregate({ name: max('name'), opened: sum('opened') })
    .filter(col('name').isNotNull().and(col('opened').gt(0)))
    .select({ id: 'id', name: 'name', starttime: 'windowStart' });
}
