/**
 * Deals rows that travel unchanged to the channels of an output. Generated code only notes the number of each row
 * under its channel; when the batch has been looked through, its rows are handed on together: as a selection of the
 * batch where there are enough of them, else column by column into the builder of the channel. Callers: generated code,
 * `chain-output.ts`. Runs on: worker. Invariant: the batch stays valid until all rows noted have been handed on,
 * because the chain task does not call its step done before.
 */
import { assert } from '../base/assert.js';
import type { Batch, SpentBatch } from '../record/batch.js';
import type { BatchBuilder } from '../record/batch-builder.js';
import { batchAs, batchOfRows, entryBytes } from '../record/row-selection.js';
import type { OutputPort } from './contract.js';

/** Share of a builder's capacity from which rows are worth a message of their own. */
const SELECTED_SHARE_MIN = 1 / 8;
/** Bytes of text a selected row may bring along; beyond, copying the texts of the rows alone is cheaper. */
const SELECTED_ENTRY_BYTES_MAX = 96;

const NO_ROWS = new Int32Array(0);

/** What a port offers that takes batches beside builders. */
export type BatchPort = OutputPort & Required<Pick<OutputPort, 'send'>>;

/** Whether a port takes batches. */
export function takesBatches(port: OutputPort): port is BatchPort {
  return port.send !== undefined;
}

/** The rows of one output, by channel. */
export class RowDealer {
  /** Numbers of the rows of each channel, which has a stretch of its own: written by generated code. */
  rows = NO_ROWS;
  /** Where the next row of each channel is noted: counted up by generated code. */
  readonly ends: Int32Array;
  /** Rows that a channel has room for. */
  #stride = 0;
  readonly #port: BatchPort;
  readonly #builders: readonly BatchBuilder[];
  /** By channel: its part of the numbers. */
  #rowsOf: readonly Int32Array[];
  /** By channel: the rows as a batch that the port has not taken yet. */
  readonly #selected: (Batch | null)[];
  /** The batch under the schema of the output; made when the first channel needs it. */
  #whole: SpentBatch | null = null;
  /** The one before, and by channel the selection before, which are used again. */
  #spent: SpentBatch | null = null;
  readonly #spentRows: (SpentBatch | null)[];
  /** By channel: rows that are in the builder already. */
  readonly #taken: Int32Array;
  /** By channel: whether the rows in its builder are shown there, and have to leave before the batch changes. */
  readonly #isShown: boolean[];
  #batch: Batch | null = null;
  #columns: readonly number[] = [];
  #isEmpty = true;

  constructor(port: BatchPort) {
    this.#port = port;
    this.#builders = port.builders;
    this.#rowsOf = port.builders.map(() => NO_ROWS);
    this.ends = new Int32Array(port.builders.length);
    this.#selected = port.builders.map(() => null);
    this.#spentRows = port.builders.map(() => null);
    this.#taken = new Int32Array(port.builders.length);
    this.#isShown = port.builders.map(() => false);
  }

  /** Makes room for `rowsMax` rows of a batch; column `columns[i]` of it is field i of the output. */
  begin(batch: Batch, columns: readonly number[], rowsMax: number): void {
    assert(this.#isEmpty, 'Rows are handed on before those of the next batch are noted.');
    this.#batch = batch;
    this.#columns = columns;
    this.#isEmpty = false;
    if (rowsMax <= this.#stride) return;
    const rows = new Int32Array(rowsMax * this.ends.length);
    this.rows = rows;
    this.#stride = rowsMax;
    for (let channel = 0; channel < this.ends.length; channel++) this.#forget(channel);
    this.#rowsOf = this.#builders.map((_, channel) =>
      rows.subarray(channel * rowsMax, (channel + 1) * rowsMax),
    );
  }

  /** Rows that are noted for a channel. */
  #countOf(channel: number): number {
    return this.ends[channel] - channel * this.#stride;
  }

  #forget(channel: number): void {
    this.ends[channel] = channel * this.#stride;
  }

  /** Hands on what has been noted; false while a channel has no room: call again. */
  handOn(): boolean {
    const batch = this.#batch;
    if (this.#isEmpty || batch === null) return true;
    let all = true;
    for (let channel = 0; channel < this.ends.length; channel++) {
      if (this.#countOf(channel) === 0) continue;
      if (this.#handOnChannel(batch, channel)) {
        this.#forget(channel);
        this.#taken[channel] = 0;
        this.#isShown[channel] = false;
        this.#selected[channel] = null;
      } else all = false;
    }
    if (!all) return false;
    this.#isEmpty = true;
    this.#batch = null;
    this.#spent = this.#whole ?? this.#spent;
    this.#whole = null;
    return true;
  }

  #handOnChannel(batch: Batch, channel: number): boolean {
    const known = this.#selected[channel];
    if (known !== null) return this.#port.send(channel, known);
    if (this.#isShown[channel]) return this.#port.flush(channel);
    const builder = this.#builders[channel];
    if (
      this.#taken[channel] > 0 ||
      this.#countOf(channel) < builder.capacity * SELECTED_SHARE_MIN
    ) {
      return this.#append(batch, channel);
    }
    const bringsMuch = this.#bringsMuch(batch, channel);
    if (bringsMuch && !this.#canShow(channel)) return this.#append(batch, channel);
    // Rows that came before are in the builder.
    if (!this.#port.flush(channel)) return false;
    if (bringsMuch) return this.#show(batch, channel);
    const { schema, schemaVersion } = builder;
    this.#whole ??= batchAs(schema, schemaVersion, batch, this.#columns, this.#spent);
    const count = this.#countOf(channel);
    const selected = count === batch.rows ? this.#whole : this.#select(this.#whole, channel, count);
    this.#selected[channel] = selected;
    return this.#port.send(channel, selected);
  }

  #select(whole: SpentBatch, channel: number, count: number): Batch {
    const selected = batchOfRows(whole, this.#rowsOf[channel], count, this.#spentRows[channel]);
    this.#spentRows[channel] = selected;
    return selected;
  }

  /** Whether a selection of rows would bring many more texts along than it has. */
  #bringsMuch(batch: Batch, channel: number): boolean {
    return entryBytes(batch.columns) > this.#countOf(channel) * SELECTED_ENTRY_BYTES_MAX;
  }

  #canShow(channel: number): boolean {
    if (this.#countOf(channel) > this.#builders[channel].capacity) return false;
    return this.#port.lends?.(channel) ?? false;
  }

  /** Lends the rows as a batch of the builder, whose texts stay where they are. */
  #show(batch: Batch, channel: number): boolean {
    const rows = this.#rowsOf[channel].subarray(0, this.#countOf(channel));
    this.#copy(batch, this.#builders[channel], rows, true);
    this.#isShown[channel] = true;
    return this.#port.flush(channel);
  }

  /** Copies rows into the builder; false when it is full and cannot be handed on. */
  #append(batch: Batch, channel: number): boolean {
    const builder = this.#builders[channel];
    const count = this.#countOf(channel);
    const rows = this.#rowsOf[channel];
    for (;;) {
      if (builder.rows === builder.capacity && !this.#port.flush(channel)) return false;
      const from = this.#taken[channel];
      if (from === count) return true;
      const to = Math.min(count, from + builder.capacity - builder.rows);
      this.#copy(batch, builder, rows.subarray(from, to), false);
      this.#taken[channel] = to;
    }
  }

  #copy(batch: Batch, builder: BatchBuilder, rows: Int32Array, isShown: boolean): void {
    const first = builder.rows;
    for (let field = 0; field < builder.columns.length; field++) {
      const column = builder.columns[field];
      const source = batch.columns[this.#columns[field]];
      if (!isShown || !column.showRows(source, rows)) column.appendRows(first, source, rows);
    }
    for (let index = 0; index < rows.length; index++) {
      if (builder.times !== null && batch.times !== null) {
        builder.times[first + index] = batch.times[rows[index]];
      }
      if (builder.kinds !== null && batch.kinds !== null) {
        builder.kinds[first + index] = batch.kinds[rows[index]];
      }
    }
    builder.rows = first + rows.length;
  }
}
