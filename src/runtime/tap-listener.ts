/**
 * Hears what is asked of a slot: to look at records, for which what does the looking is loaded then, or to end and
 * begin a region. Callers: the slot's loop. Runs on: the slot's thread.
 */
import type { Clock } from '../base/clock.js';
import type { RegionRequest, SlotRegions } from './slot-regions.js';
import type { SlotTaps } from './slot-taps.js';
import type { TapReport, TapRequest } from './tap-protocol.js';
import { TAP_INTERVAL_MS, type TapSites } from './tap-site.js';

/** To a slot. */
export type SlotRequest = TapRequest | RegionRequest;

/** How a slot hears of taps and tells of what they saw. */
export interface TapDesk {
  /** The next request; null when there is none. */
  take(): SlotRequest | null;
  tell(report: TapReport): void;
}

/** The taps of a slot, as its loop sees them. */
export class TapListener {
  readonly #sites: TapSites;
  /** Goes up with every request. */
  readonly #word: Int32Array;
  readonly #desk: TapDesk;
  readonly #clock: Clock;
  readonly #regions: SlotRegions | null;
  #heard = 0;
  #taps: SlotTaps | null = null;

  constructor(
    sites: TapSites,
    word: Int32Array,
    desk: TapDesk,
    clock: Clock,
    regions: SlotRegions | null,
  ) {
    this.#regions = regions;
    this.#sites = sites;
    this.#word = word;
    this.#desk = desk;
    this.#clock = clock;
  }

  /** Whether somebody has asked for something since. */
  get isAsked(): boolean {
    return Atomics.load(this.#word, 0) !== this.#heard;
  }

  /** How long the slot may sleep before what was seen is to be told. */
  get sleepMs(): number {
    return this.#taps?.isOpen === true ? TAP_INTERVAL_MS : Infinity;
  }

  /** Does what was asked for. */
  async hear(): Promise<void> {
    this.#heard = Atomics.load(this.#word, 0);
    for (let asked = this.#desk.take(); asked !== null; asked = this.#desk.take()) {
      if (asked.kind === 'open' || asked.kind === 'close') (await this.#opened()).take(asked);
      else await this.#regions?.take(asked);
    }
  }

  async #opened(): Promise<SlotTaps> {
    if (this.#taps === null) {
      const { SlotTaps: Taps } = await import('./slot-taps.js');
      this.#taps = new Taps(this.#sites, (report) => this.#desk.tell(report), this.#clock);
    }
    return this.#taps;
  }

  /** Tells what was seen when it is time; `isLast` tells the rest. */
  tell(nowMs: number, isLast = false): void {
    if (this.#taps?.isOpen === true) this.#taps.tell(nowMs, isLast);
  }
}
