/**
 * The three streams in the stream of all events, as the views of nexmark/nexmark are: people, auctions and bids with
 * their own fields. Callers: `nexmark-job.mjs`, on whatever thread builds the job.
 */
import { col } from 'millrace';
import { flatName, KIND_FIELDS } from './events/event-fields.mjs';

/**
 * @param {import('millrace').Stream<Record<string, unknown>>} events flat, see `events/event-fields.mjs`
 */
export function viewsOf(events) {
  return {
    people: viewOf(events, 'person'),
    auctions: viewOf(events, 'auction'),
    bids: viewOf(events, 'bid'),
  };
}

function viewOf(events, kind) {
  const fields = KIND_FIELDS[kind].map(({ name }) => [name, flatName(kind, name)]);
  return events.filter(col('kind').eq(kind)).select(Object.fromEntries(fields));
}
