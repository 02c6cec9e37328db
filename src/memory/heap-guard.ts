/**
 * Fails a job by name before V8 fails the process without one. Callers: the slot's loop, once per frame.
 * Runs on: the slot's thread. Invariant: the guard throws only for memory that survives a collection, since a heap
 * may be nearly full of garbage at any moment and is then perfectly healthy.
 */
import { assert } from '../base/assert.js';
import { MillraceError } from '../base/errors.js';
import { formatBytes } from '../base/units.js';
import type { HeapProbe, HeapSample } from './heap-probe.js';

/** What fails a job: this share of a budget in use after a collection. */
export const GUARD_FRACTION = 0.85;
/** A sample costs about a microsecond; a frame costs tens of them. */
const FRAMES_PER_SAMPLE = 16;

/** What a guard watches over. */
export interface HeapGuardOptions {
  readonly slot: number;
  /** The slot's share for the JavaScript heap. */
  readonly heapBytes: number;
  /**
   * Bound of the buffers outside the heap that belong to the thread (not the shared ones); null for none. The
   * managed share is a good bound, because tables live in such buffers.
   */
  readonly externalBytes: number | null;
  readonly probe: HeapProbe;
  readonly framesPerSample?: number;
}

/** Watches the memory of one thread. */
export class HeapGuard {
  /** The newest sample, for metrics. */
  sample: HeapSample;
  readonly #options: HeapGuardOptions;
  readonly #framesPerSample: number;
  #frames = 0;
  /** Use at which the next forced collection is worth its pause. */
  #collectAtHeapBytes: number;
  #collectAtExternalBytes: number;

  constructor(options: HeapGuardOptions) {
    assert(options.heapBytes > 0, 'The heap of a slot has a budget.');
    this.#options = options;
    this.#framesPerSample = options.framesPerSample ?? FRAMES_PER_SAMPLE;
    this.#collectAtHeapBytes = options.heapBytes * GUARD_FRACTION;
    this.#collectAtExternalBytes = this.#externalLimit();
    this.sample = options.probe.sample();
  }

  /** Counts a frame and samples now and then. `operator` is who gets named. */
  frameDone(operator: string): void {
    if (++this.#frames < this.#framesPerSample) return;
    this.#frames = 0;
    this.check(operator);
  }

  /** Samples at once; throws `MEMORY_EXHAUSTED` when a budget is used up. */
  check(operator: string): void {
    this.sample = this.#options.probe.sample();
    if (
      this.sample.usedHeapBytes < this.#collectAtHeapBytes &&
      this.sample.externalBytes < this.#collectAtExternalBytes
    ) {
      return;
    }
    this.#options.probe.collect();
    this.sample = this.#options.probe.sample();
    const heapLimit = this.#options.heapBytes * GUARD_FRACTION;
    const externalLimit = this.#externalLimit();
    const { usedHeapBytes, externalBytes } = this.sample;
    if (usedHeapBytes >= heapLimit) throw this.#exhausted(operator);
    if (externalBytes >= externalLimit) throw this.#exhaustedOutside(operator);
    this.#collectAtHeapBytes = nextCollection(usedHeapBytes, heapLimit, this.#options.heapBytes);
    this.#collectAtExternalBytes = nextCollection(
      externalBytes,
      externalLimit,
      this.#options.externalBytes ?? Number.POSITIVE_INFINITY,
    );
  }

  #externalLimit(): number {
    return (this.#options.externalBytes ?? Number.POSITIVE_INFINITY) * GUARD_FRACTION;
  }

  #exhausted(operator: string): MillraceError {
    const { slot, heapBytes } = this.#options;
    return new MillraceError(
      'MEMORY_EXHAUSTED',
      `Slot ${slot} holds ${formatBytes(this.sample.usedHeapBytes)} of its ` +
        `${formatBytes(heapBytes)} JavaScript heap after a collection, in operator ${operator}.`,
      {
        where: { operator },
        advice:
          'Keep fewer objects in the functions of the job, or raise slot.memory or lower ' +
          'slot.networkFraction and slot.managedFraction, which leave the rest to the heap.',
      },
    );
  }

  #exhaustedOutside(operator: string): MillraceError {
    const { slot, externalBytes } = this.#options;
    return new MillraceError(
      'MEMORY_EXHAUSTED',
      `Slot ${slot} holds ${formatBytes(this.sample.externalBytes)} of the ` +
        `${formatBytes(externalBytes ?? 0)} it may have in buffers, in operator ${operator}.`,
      { where: { operator }, advice: 'Raise slot.memory or slot.managedFraction.' },
    );
  }
}

/**
 * The limit, or half the way from what is live to the budget when that is more: each forced collection is thus
 * paid for by as much allocation as there was room, instead of one per sample while little is left.
 */
function nextCollection(liveBytes: number, limitBytes: number, budgetBytes: number): number {
  if (budgetBytes === Number.POSITIVE_INFINITY) return budgetBytes;
  return Math.max(limitBytes, liveBytes + (budgetBytes - liveBytes) / 2);
}
