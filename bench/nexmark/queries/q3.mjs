/** Nexmark q3, local items: people of three states and their auctions of category 10. */
import { col } from 'millrace';

export function q3({ people, auctions }) {
  const local = people.filter(col('state').in('OR', 'ID', 'CA'));
  return auctions
    .filter(col('category').eq(10))
    .select('id', 'seller')
    .keyBy('seller')
    .join(local.select('id', 'name', 'city', 'state').keyBy('id'))
    .apply(({ id }, { name, city, state }) => ({ name, city, state, id }));
}
