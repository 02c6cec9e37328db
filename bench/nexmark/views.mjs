/**
 * The three streams in the stream of all events, as the views of nexmark/nexmark are: people, auctions and bids with
 * their own fields. Callers: `nexmark-job.mjs`, on whatever thread builds the job.
 */
import { col } from 'millrace';
import { flatName, KIND_FIELDS } from './events/event-fields.mjs';

/**
 * The streams in flat events, as the generator makes them.
 *
 * @param {import('millrace').Stream<Record<string, unknown>>} events see `events/event-fields.mjs`
 */
export function viewsOf(events) {
  return views(events, (kind, name) => col(flatName(kind, name)));
}

/**
 * The same in nested events, as they are in files.
 *
 * @param {import('millrace').Stream<Record<string, unknown>>} events
 */
export function viewsOfNested(events) {
  return views(events, (kind, name) => col(kind).get(name));
}

function views(events, field) {
  const viewOf = (kind) => {
    const fields = KIND_FIELDS[kind].map(({ name }) => [name, field(kind, name)]);
    return events.filter(col('kind').eq(kind)).select(Object.fromEntries(fields));
  };
  return { people: viewOf('person'), auctions: viewOf('auction'), bids: viewOf('bid') };
}
