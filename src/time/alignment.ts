/**
 * Keeps the members of a group together in event time: each publishes its watermark in memory that all share, and one
 * that is too far ahead of the slowest reads no more until that has come closer. Callers: the chain task, the runtime.
 * Runs on: the thread of each member; a cell has one writer. Invariant: the slowest member is never held back, so
 * that the group moves on; one that is idle or has ended holds nobody.
 */
import { WATERMARK_MAX, WATERMARK_MIN } from './watermark.js';
import type { WatermarkAlignment } from './watermark-strategy.js';

/** One member of a group. */
export class AlignmentMember {
  readonly alignment: WatermarkAlignment;
  readonly #cells: Float64Array;
  readonly #own: number;
  readonly #members: readonly number[];

  /** `cells` holds a watermark per member of any group; `members` are those of this group, `own` included. */
  constructor(
    cells: Float64Array,
    own: number,
    members: readonly number[],
    alignment: WatermarkAlignment,
  ) {
    this.alignment = alignment;
    this.#cells = cells;
    this.#own = own;
    this.#members = members;
  }

  /** Shows the others how far this member is. */
  publish(watermarkMs: number, isIdle: boolean): void {
    this.#cells[this.#own] = isIdle ? WATERMARK_MAX : watermarkMs;
  }

  /** The latest watermark that anything of the group may have and read on. */
  get limitMs(): number {
    let least = WATERMARK_MAX;
    for (const member of this.#members) least = Math.min(least, this.#cells[member]);
    return least + this.alignment.maxDriftMs;
  }

  /** Whether this member is further ahead of the slowest than it may be. */
  get isAhead(): boolean {
    const own = this.#cells[this.#own];
    return own > WATERMARK_MIN && own < WATERMARK_MAX && own > this.limitMs;
  }
}
