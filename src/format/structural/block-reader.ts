/**
 * Reads rows of one shape into a builder: the row scanner finds numbers and ranges, a block at a
 * time, and targets move them to the appenders. Callers: the NDJSON and CSV parsers, which read the
 * rows that it leaves. Runs on: worker. Invariant: rows are written whole or not at all, and the
 * cursor stands before the first row that was not.
 */
import type { Appender, BatchBuilder } from '../../record/batch-builder.js';
import { countNewlines } from '../bytes/line-start.js';
import type { ParseCursor } from '../bytes/row-parser.js';
import type { BlockTarget } from './block-targets.js';
import { type BlockLane, ScanBlock } from './scan-block.js';
import type { ScanMemory } from './scan-memory.js';
import type { ScanProgram } from './scan-program.js';

/** Bytes that are left to others after a row that was not as predicted; doubles while it recurs. */
const PAUSE_FIRST_BYTES = 256;
const PAUSE_MAX_BYTES = 64 * 1024;
/** Rows in a row after which a pause starts short again. */
const ROWS_GOOD = 64;

/** Reads rows that look alike. */
export class BlockReader {
  readonly #builder: BatchBuilder;
  readonly #rowStarts: Float64Array;
  readonly #program: ScanProgram;
  readonly #format: 'json' | 'csv';
  readonly #targets: readonly BlockTarget[];
  /** Appenders of fields that rows of this shape never have. */
  readonly #absent: readonly Appender[];
  #block: ScanBlock | null = null;
  #pauseBytes = 0;

  /** One target for each step of the program that is not skipped, in order. */
  constructor(
    builder: BatchBuilder,
    rowStarts: Float64Array,
    program: ScanProgram,
    format: 'json' | 'csv',
    targets: readonly BlockTarget[],
    absent: readonly Appender[],
  ) {
    this.#builder = builder;
    this.#rowStarts = rowStarts;
    this.#program = program;
    this.#format = format;
    this.#targets = targets;
    this.#absent = absent;
  }

  /** Reads on from the cursor until the region or the builder ends, or a row is different. */
  read(memory: ScanMemory, cursor: ParseCursor): void {
    const builder = this.#builder;
    const block = this.#blockIn(memory);
    const [firstLane, secondLane] = block.lanes;
    let taken = 0;
    for (;;) {
      const most = builder.capacity - builder.rows;
      if (most === 0 || cursor.position >= cursor.end) break;
      const scanned = block.scan(cursor.position, cursor.end, most);
      let written = this.#write(firstLane, memory.buffer, cursor);
      // The second lane goes on where the first one ends, unless that has a row for others.
      if (written === firstLane.rows) written += this.#write(secondLane, memory.buffer, cursor);
      taken += written + firstLane.passed + secondLane.passed;
      if (written < scanned || firstLane.isStopped || secondLane.isStopped) break;
    }
    const isStopped = cursor.position < cursor.end && builder.rows < builder.capacity;
    if (isStopped) this.#judge(taken);
  }

  /**
   * Index behind the rows that are better read by others after `read` stopped at a row, as far as
   * can be told by now: one row, or more while most rows are different.
   */
  pauseEnd(buffer: Buffer, cursor: ParseCursor): number {
    if (this.#pauseBytes === 0) return buffer.indexOf(0x0a, cursor.position) + 1;
    const from = Math.min(cursor.position + this.#pauseBytes, cursor.end - 1);
    return buffer.indexOf(0x0a, from) + 1;
  }

  #judge(taken: number): void {
    if (taken >= ROWS_GOOD) this.#pauseBytes = 0;
    else if (this.#pauseBytes === 0) this.#pauseBytes = PAUSE_FIRST_BYTES;
    else this.#pauseBytes = Math.min(this.#pauseBytes * 2, PAUSE_MAX_BYTES);
  }

  #blockIn(memory: ScanMemory): ScanBlock {
    if (this.#block === null || !this.#block.isLoaded(memory)) {
      this.#block = new ScanBlock(memory, this.#program, this.#format);
    }
    return this.#block;
  }

  /** Moves the rows of a lane to the builder and the cursor behind them; returns how many. */
  #write(lane: BlockLane, bytes: Buffer, cursor: ParseCursor): number {
    const { base } = cursor;
    const builder = this.#builder;
    const first = builder.rows;
    const scanned = lane.rows;
    let rows = scanned;
    for (let index = 0; index < this.#targets.length; index++) {
      rows = this.#targets[index].write(lane.columns[index], first, rows, bytes);
    }
    for (const appender of this.#absent) {
      for (let row = 0; row < rows; row++) appender.setMissing(first + row);
    }
    if (rows < scanned) {
      for (const column of builder.columns) column.truncate(first + rows);
    }
    const rowStarts = this.#rowStarts;
    const { starts } = lane;
    for (let row = 0; row < rows; row++) rowStarts[first + row] = base + starts[row];
    builder.rows = first + rows;
    const next = rows < scanned ? starts[rows] : lane.next;
    // Those behind a row that cannot be written will be passed over again.
    if (lane.passed > 0) {
      const isWhole = rows === scanned;
      cursor.passed += isWhole ? lane.passed : countNewlines(bytes, cursor.position, next) - rows;
    }
    cursor.position = next;
    return rows;
  }
}
