/**
 * What fragments of generated code are given: the function being generated, the running chain it is bound to, and
 * the ways to hand a row or a record on. Callers: fragments. Runs on: worker, when a chain is compiled.
 */
import type { Schema } from '../record/schema.js';
import type { FlowRow, RowMarks } from './flow-row.js';
import type { ChainRun } from './chain-run.js';
import type { CodeBlock } from './code-block.js';
import type { CodeUnit } from './code-unit.js';
import type { InputSide } from './operator-sides.js';
import type { OperatorSpec, UserFunction } from './operator-spec.js';

/** Writes what happens to a record that does not fit the schema the code is generated for. */
export type MisfitCode = (place: CodeBlock) => void;

/** A loop over rows that ends before a builder could become full, so that no row has to ask. */
export interface RowRoom {
  /** Code of the number of rows that may be consumed now; every consumed row writes one at most. */
  readonly limits: string[];
  /** What runs whenever that many rows are consumed. */
  readonly behind: CodeBlock;
}

/** What comes before a loop over rows of a batch, for all of them. */
export interface RowsAhead {
  /** Where it is written. */
  readonly place: CodeBlock;
  /** The local that counts the rows in their order; the rows to come are those from it up to `end`. */
  readonly position: string;
  /** The numbers of the rows in the columns, by position: an expression; null where they are the positions. */
  readonly selection: string | null;
}

/** The chain compiler as fragments see it. */
export interface ChainCode {
  readonly unit: CodeUnit;
  readonly run: ChainRun;
  /** Which of its two sides the rows come from, for operators that have two. */
  readonly side: InputSide;
  /** Schema of each operator's output in this function; null when not known yet, or not needed. */
  readonly schemas: ReadonlyMap<number, Schema | null>;
  /** Generates everything that consumes the rows of operator `index`. */
  next(index: number, row: FlowRow, place: CodeBlock): void;
  /** Hands on the record that the function of operator `index` returned, settling its schema. */
  nextRecord(index: number, record: string, marks: RowMarks, place: CodeBlock): void;
  /** Marks that the function of operator `index` is about to run, for errors and for the watchdog. */
  enter(index: number, place: CodeBlock): void;
  /**
   * Calls a function of one record and gives the local of its result. The watchdog is told that it runs, unless it
   * cannot run for long.
   */
  callUser(index: number, fn: UserFunction, record: string, place: CodeBlock): string;
  /** Ends the loop after this row. */
  stop(place: CodeBlock): void;
  /** Generates what may hand on several rows for one: outputs then look for room at each. */
  severalPerRow(generate: () => void): void;
  /** Generates what runs for every row although only those count for which the local `kept` is 1, not 0. */
  countingOnly(kept: string, generate: () => void): void;
  /** That local; null where all rows count. */
  readonly kept: string | null;
  /** Of the loop over rows; null in other functions, and behind what hands on several rows for one. */
  readonly room: RowRoom | null;
  /** Of the loop over rows; null in other functions. */
  readonly ahead: RowsAhead | null;
}

/** An operator of one kind, and where it stands in the chain. */
export type Placed<K extends OperatorSpec['kind']> = {
  readonly index: number;
  readonly spec: Extract<OperatorSpec, { kind: K }>;
};
