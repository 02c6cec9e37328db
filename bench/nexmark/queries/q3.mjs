/** Nexmark q3, local items: people of three states and their auctions of category 10. */
import { col } from 'millrace';

export function q3({ people, auctions }) {
  return people
    .filter(col('state').in('OR', 'ID', 'CA'))
    .keyBy('id')
    .join(auctions.filter(col('category').eq(10)).keyBy('seller'))
    .select(['name', 'city', 'state'], ['id']);
}
