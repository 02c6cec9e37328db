/**
 * The panes that a partial aggregation before the exchange adds up, and when it hands them on: each as a whole where
 * records come in order, when a later one has begun, so that it adds up in little memory; else when its watermark has
 * passed one. Callers: generated code asks for the pane of a record, the chain task whether to empty the table. Runs
 * on: the slot's thread. Invariant: a record is handed on before the watermark that its pane ends with.
 */
import { PAGE_SHIFT } from '../state/contract.js';
import { paneGridOf, type WindowGrid } from '../time/window-arithmetic.js';
import { WATERMARK_MAX } from '../time/watermark.js';
import { AlignedRun, NO_PANE, Pane, type WindowRunParts } from './chain-aligned.js';

/** Fewer entries than a page of the table has are not worth handing on because a later pane has begun. */
const HANDED_ON_MIN = 1 << PAGE_SHIFT;

/** The panes of one partial aggregation. */
export class PartialRun extends AlignedRun {
  /** Entries with which the table is full. */
  entriesMax: number;
  readonly nextProcessingTimer = Number.POSITIVE_INFINITY;
  readonly #keysMax: number;
  /** Those in the table, by start. */
  readonly #panes = new Map<number, Pane>();
  /** The end of the first of them, and the start of the last one ever. */
  #firstEndMs = Number.POSITIVE_INFINITY;
  #lastStartMs = Number.NEGATIVE_INFINITY;

  constructor(parts: WindowRunParts, grid: WindowGrid, keysMax: number) {
    super(parts, paneGridOf(grid));
    this.#keysMax = keysMax;
    this.entriesMax = keysMax;
  }

  at(startMs: number): Pane {
    return this.#panes.get(startMs) ?? this.#add(startMs);
  }

  #add(startMs: number): Pane {
    const pane = new Pane(startMs, startMs + this.grid.sizeMs, false);
    if (startMs > this.#lastStartMs) {
      this.#lastStartMs = startMs;
      if (this.#panes.size > 0) this.entriesMax = Math.min(HANDED_ON_MIN, this.#keysMax);
    }
    this.#panes.set(startMs, pane);
    this.#firstEndMs = Math.min(this.#firstEndMs, pane.endMs);
    return pane;
  }

  /** Whether the table has panes that are over at a watermark. */
  isDue(watermarkMs: number): boolean {
    return this.#firstEndMs - 1 <= this.passedAt(watermarkMs) || watermarkMs >= WATERMARK_MAX;
  }

  /** The table is empty. */
  emptied(): void {
    this.pane = NO_PANE;
    this.#panes.clear();
    this.#firstEndMs = Number.POSITIVE_INFINITY;
    this.entriesMax = this.#keysMax;
  }

  // Nothing fires, and nothing is kept, before the exchange.

  moved(): void {}

  rebuild(): void {}

  protected fire(): boolean {
    return false;
  }
}
