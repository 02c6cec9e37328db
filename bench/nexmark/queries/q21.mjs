/** Nexmark q21, channel ids: known ones by name, others out of the url; bids without one are left out. */
import { col, when } from 'millrace';

const channel = col('channel').lower();
const named = col('url').regexpExtract(/(&|^)channel_id=([^&]*)/, 2);

export function q21({ bids }) {
  return bids
    .filter(named.isNotNull().or(channel.in('apple', 'google', 'facebook', 'baidu')))
    .select({
      auction: 'auction',
      bidder: 'bidder',
      price: 'price',
      channel: 'channel',
      channel_id: when(channel.eq('apple'))
        .then('0')
        .when(channel.eq('google'))
        .then('1')
        .when(channel.eq('facebook'))
        .then('2')
        .when(channel.eq('baidu'))
        .then('3')
        .otherwise(named),
    });
}
