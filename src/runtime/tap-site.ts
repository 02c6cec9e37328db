/**
 * The places of a slot where somebody may look at records. Callers: the slot builder makes them, subtasks and sink
 * ports pass their batches by, `slot-taps.ts` looks. Runs on: the slot's thread. Invariant: while no tap is open, a
 * batch costs one comparison.
 */
import type { Batch } from '../record/batch.js';
import type { TapPlace } from './tap-protocol.js';

/** Looks at batches; it neither keeps nor changes them. */
export interface TapWatcher {
  look(batch: Batch): void;
}

/** One place of one subtask. */
export class TapSite {
  /** Null while nobody looks. */
  watcher: TapWatcher | null = null;
}

/** A place with its subtask. */
export interface PlacedSite {
  readonly place: TapPlace;
  readonly subtask: number;
  readonly site: TapSite;
}

/** For how long taps see so many records of a subtask. */
export const TAP_INTERVAL_MS = 200;
/** How often they tell what they have seen. */
export const TAP_TELL_MS = 400;

/** The places of one slot. */
export class TapSites {
  readonly #sites = new Map<string, PlacedSite>();

  get placed(): readonly PlacedSite[] {
    return [...this.#sites.values()];
  }

  add(place: TapPlace, subtask: number): TapSite {
    // A subtask that is built again has the places that it had.
    const key = JSON.stringify([place, subtask]);
    const placed = this.#sites.get(key) ?? { place, subtask, site: new TapSite() };
    this.#sites.set(key, placed);
    return placed.site;
  }
}
