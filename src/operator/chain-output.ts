/**
 * One output of a chain: opens its port for the schema of the rows that reach it, knows the arrays generated code
 * writes into, and hands full builders on. Callers: generated code and the chain task. Runs on: worker.
 * Invariant: at most one channel is blocked by a full builder; until what was refused is handed on, no row is written
 * to the output.
 */
import { assert } from '../base/assert.js';
import { FixedAppender, Int64Appender } from '../record/appenders.js';
import type { Appender, BatchBuilder } from '../record/batch-builder.js';
import type { Schema } from '../record/schema.js';
import { mergeSchemas, sameSchema } from '../record/schema-merge.js';
import type { ChainOutput } from './chain-options.js';
import type { PortOptions } from './contract.js';
import { RowDealer, takesBatches } from './row-dealer.js';

/** An array that generated code writes fixed values into. */
export type ValueArray = FixedAppender['values'] | BigInt64Array;

/** What opening an output came to. */
export type OpenResult = 'as before' | 'reopened' | 'busy';

/** Rows of the first batch at most. */
const FIRST_ROWS = 32;

/** A running output. */
export class OutputRun {
  readonly output: ChainOutput;
  /** The schema the builders have; null before the first row. */
  schema: Schema | null = null;
  /** The builders, by channel. */
  builders: readonly BatchBuilder[] = [];
  /** Appenders by field, then channel. */
  appenders: readonly (readonly Appender[])[] = [];
  /** Arrays of fixed fields by field, then channel; empty for fields without one. */
  values: readonly (readonly ValueArray[])[] = [];
  /** Deals rows that travel unchanged; null when the port takes no batches. */
  dealer: RowDealer | null = null;
  /** The channel of the next row, for partitioners that deal in turn. */
  next: number;
  /**
   * Rows from which generated code hands the only builder on: few the first time, since V8 throws code away that it
   * compiled before it has seen that done.
   */
  enough = FIRST_ROWS;
  #blocked = -1;
  /** Whether builders are being handed on that are not full. */
  #isFlushing = false;

  constructor(output: ChainOutput, firstChannel: number) {
    this.output = output;
    this.next = firstChannel;
  }

  /** Makes the builders fit rows of a schema; 'busy' when older rows have to leave first. */
  open(schema: Schema, marks: PortOptions): OpenResult {
    const { port } = this.output;
    const known = this.schema;
    const [builder] = this.builders;
    const times = marks.times || (builder !== undefined && builder.times !== null);
    const kinds = marks.kinds || (builder !== undefined && builder.kinds !== null);
    const wanted = known === null ? schema : mergeSchemas(known, schema);
    if (known !== null && builder !== undefined && sameSchema(wanted, known)) {
      const hasMarks = (builder.times !== null || !times) && (builder.kinds !== null || !kinds);
      if (hasMarks) return 'as before';
    }
    if (!port.open(wanted, { times, kinds })) return 'busy';
    this.#take(port.builders);
    return 'reopened';
  }

  #take(builders: readonly BatchBuilder[]): void {
    const [first] = builders;
    assert(first !== undefined, 'An open port has a builder.');
    this.builders = builders;
    this.schema = first.schema;
    this.enough = Math.min(this.enough, first.capacity);
    this.appenders = first.columns.map((_, field) =>
      builders.map((builder) => builder.columns[field]),
    );
    this.values = this.appenders.map((appenders) => appenders.flatMap(valuesOf));
    const { port } = this.output;
    this.dealer = takesBatches(port) ? new RowDealer(port) : null;
  }

  /** Hands a full builder on; false, remembering the channel, when the consumer has no room. */
  flush(channel: number): boolean {
    this.enough = this.builders[channel].capacity;
    if (this.output.port.flush(channel)) return true;
    this.#blocked = channel;
    return false;
  }

  /** Tries the blocked channel again and hands on the rows that were dealt; true when nothing is left over. */
  retry(): boolean {
    if (this.#blocked >= 0) {
      if (!this.output.port.flush(this.#blocked)) return false;
      this.#blocked = -1;
    }
    if (this.dealer !== null && !this.dealer.handOn()) return false;
    return !this.#isFlushing || this.flushAll();
  }

  /** Hands all rows on, full builders or not; when they cannot be, `retry` goes on with it. */
  flushAll(): boolean {
    this.#isFlushing = false;
    if (!this.retry()) {
      this.#isFlushing = true;
      return false;
    }
    for (let channel = 0; channel < this.builders.length; channel++) {
      if (!this.output.port.flush(channel)) this.#isFlushing = true;
    }
    return !this.#isFlushing;
  }
}

function valuesOf(appender: Appender): ValueArray[] {
  return appender instanceof FixedAppender || appender instanceof Int64Appender
    ? [appender.values]
    : [];
}
