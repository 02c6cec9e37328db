/**
 * The fields of events, and the two forms that records of events have. Callers: the source, the file source, the
 * views. Runs on: any thread; pure.
 *
 * `nested` is how events are written to files: `{ kind, person }`, `{ kind, auction }` or `{ kind, bid }`. `flat` is
 * what queries read: the fields of all three side by side as `person.id`, `bid.price` and so on, so that a query reads
 * the columns it uses and no others, with the event's time in front, since every kind has one. Fields of other kinds
 * than the record's own hold 0 or the empty text and mean nothing; the views of `../views.mjs` never show them.
 */
import { KINDS } from './event-settings.mjs';

const NUMBER = Object.freeze({ kind: 'number' });
const TEXT = Object.freeze({ kind: 'utf8' });

/** By kind: its fields in the order of the original. Times are milliseconds since the epoch. */
export const KIND_FIELDS = Object.freeze({
  person: fieldsOf({
    id: NUMBER,
    name: TEXT,
    emailAddress: TEXT,
    creditCard: TEXT,
    city: TEXT,
    state: TEXT,
    dateTime: NUMBER,
    extra: TEXT,
  }),
  auction: fieldsOf({
    id: NUMBER,
    itemName: TEXT,
    description: TEXT,
    initialBid: NUMBER,
    reserve: NUMBER,
    dateTime: NUMBER,
    expires: NUMBER,
    seller: NUMBER,
    category: NUMBER,
    extra: TEXT,
  }),
  bid: fieldsOf({
    auction: NUMBER,
    bidder: NUMBER,
    price: NUMBER,
    channel: TEXT,
    url: TEXT,
    dateTime: NUMBER,
    extra: TEXT,
  }),
});

function fieldsOf(types) {
  return Object.freeze(Object.entries(types).map(([name, type]) => fieldOf(name, type)));
}

function fieldOf(name, type, optional = false) {
  return Object.freeze({ name, type, nullable: false, optional });
}

/** The name that a field has in flat records. */
export function flatName(kind, name) {
  return name === 'dateTime' ? name : `${kind}.${name}`;
}

/** @type {import('millrace').Schema} */
export const FLAT_SCHEMA = Object.freeze({
  shape: 'object',
  fields: Object.freeze([
    fieldOf('kind', TEXT),
    fieldOf('dateTime', NUMBER),
    ...KINDS.flatMap((kind) =>
      KIND_FIELDS[kind]
        .filter(({ name }) => name !== 'dateTime')
        .map(({ name, type }) => fieldOf(flatName(kind, name), type)),
    ),
  ]),
});

/** @type {import('millrace').Schema} */
export const NESTED_SCHEMA = Object.freeze({
  shape: 'object',
  fields: Object.freeze([
    fieldOf('kind', TEXT),
    ...KINDS.map((kind) => fieldOf(kind, { kind: 'struct', fields: KIND_FIELDS[kind] }, true)),
  ]),
});
