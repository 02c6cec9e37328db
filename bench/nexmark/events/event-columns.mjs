/**
 * The columns of a batch of events, flat or nested, as far as they are wanted. Callers: `event-reader.mjs`. Runs on:
 * the slot's thread.
 */
import { StructColumn } from 'millrace';
import { AUCTION_WRITERS } from './auction-columns.mjs';
import { BID_WRITERS } from './bid-columns.mjs';
import { Codes, DictionaryWriter, NumberWriter } from './column-writers.mjs';
import { FLAT_SCHEMA, NESTED_SCHEMA } from './event-fields.mjs';
import { BLOCK, KINDS, timeOf } from './event-settings.mjs';
import { PERSON_WRITERS } from './person-columns.mjs';

const WRITERS = { person: PERSON_WRITERS, auction: AUCTION_WRITERS, bid: BID_WRITERS };

/**
 * Writers of the columns of a form.
 *
 * @param {'flat' | 'nested'} form
 * @param {readonly string[] | null} wanted names of fields, null for all
 * @param {import('./event-settings.mjs').EventSettings} settings
 * @returns {readonly import('./column-writers.mjs').ColumnWriter[]}
 */
export function eventColumns(form, wanted, settings) {
  const { fields } = form === 'flat' ? FLAT_SCHEMA : NESTED_SCHEMA;
  // What several fields of a kind need.
  const texts = new Map();
  return fields
    .filter(({ name }) => wanted?.includes(name) ?? true)
    .map((field) => {
      const { name } = field;
      if (name === 'kind') return kindWriter(field);
      if (name === 'dateTime') return timeWriter(field, settings);
      if (form === 'nested') return new KindWriter(field, settings, texts);
      const [kind, own] = name.split('.');
      return WRITERS[kind][own](field, settings, texts);
    });
}

function kindWriter(field) {
  const codes = new Codes(({ kinds, count }, values) => {
    for (let row = 0; row < count; row++) values[row] = kinds[row] + 1;
  });
  return new DictionaryWriter(field, KINDS, codes);
}

/** Times of all rows, of whatever kind. */
function timeWriter(field, settings) {
  const { startMs, eventsPerSecond } = settings;
  const density = { startMs, eventsPerSecond };
  return new NumberWriter(field, ({ ids, count }, values) => {
    for (let row = 0; row < count; row++) values[row] = timeOf(ids[row], density);
  });
}

/** The events of one kind as a struct that the rows of other kinds lack. */
class KindWriter {
  field;
  #kind;
  #children;
  #present = new Uint8Array(Math.ceil(BLOCK / 8));

  constructor(field, settings, texts) {
    this.field = field;
    this.#kind = KINDS.indexOf(field.name);
    this.#children = field.type.fields.map((child) =>
      child.name === 'dateTime'
        ? timeWriter(child, settings)
        : WRITERS[field.name][child.name](child, settings, texts),
    );
  }

  write(rows) {
    const present = this.#present.fill(0);
    for (let row = 0; row < rows.count; row++) {
      if (rows.kinds[row] === this.#kind) present[row >> 3] |= 1 << (row & 7);
    }
    const children = this.#children.map((child) => child.write(rows));
    return new StructColumn(this.field, children, present, present);
  }
}
