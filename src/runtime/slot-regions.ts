/**
 * The regions of a plan in one slot: gives one of them up when it has failed, here or elsewhere, and builds it again
 * when it is told to, while the subtasks of the others go on. Callers: the slot's loop, and the desk of its thread.
 * Runs on: the slot's thread, between two passes. Invariant: the slot tells that it has given a region up only when
 * nothing of it is open any more, and of rounds that have passed it tells nothing but that.
 */
import { MillraceError, toWire } from '../base/errors.js';
import { regionsOf } from '../graph/regions.js';
import { closeAfterFailure } from './close-all.js';
import type { Deployment } from './deployment.js';
import type { RegionEvent, RegionRound } from './run-regions.js';
import { buildSlot, type SlotParts } from './slot-builder.js';
import type { SlotRunParts } from './slot-run.js';
import { SUBTASK_FINISHED, type Subtask } from './subtask.js';

/** What a region begins again with; all else of the deployment stays. */
export type RegionStart = Pick<Deployment, 'attempt' | 'restore' | 'sourcePlans' | 'sinkPlans'>;

/** To a slot. */
export type RegionRequest = RegionRound &
  ({ readonly kind: 'endRegion' } | { readonly kind: 'startRegion'; readonly start: RegionStart });

/** What runs in a slot. */
export interface SlotSubtasks {
  readonly subtasks: Subtask[];
  /** Those that have not finished. */
  readonly live: Subtask[];
}

/** What a slot does about its regions. */
export interface SlotRegionsParts extends SlotSubtasks {
  readonly slot: number;
  /** By vertex. */
  readonly regionOf: readonly number[];
  /** Builds the subtasks of a region anew. */
  build(region: number, start: RegionStart): Promise<readonly Subtask[]>;
  /** Lets go of what the slot kept for the subtasks of a region. */
  forget(region: number): void;
  report(event: RegionEvent): void;
}

/** The regions of one slot. */
export class SlotRegions {
  readonly #parts: SlotRegionsParts;
  /** By region, how often it has been started again. */
  readonly #rounds = new Map<number, number>();
  readonly #down = new Set<number>();
  #failed: { readonly region: number; readonly error: MillraceError } | null = null;

  constructor(parts: SlotRegionsParts) {
    this.#parts = parts;
  }

  /** Whether the slot waits for a region to be started again. */
  get isDown(): boolean {
    return this.#down.size > 0;
  }

  /** Whether a subtask has thrown whose region is to be given up. */
  get hasFailed(): boolean {
    return this.#failed !== null;
  }

  /** A subtask has thrown. Throws it on where it concerns all regions: the slot has no memory left. */
  caught(subtask: Subtask, error: unknown): void {
    if (!MillraceError.is(error) || error.code === 'MEMORY_EXHAUSTED') throw error;
    this.#failed = { region: this.#regionOf(subtask), error };
  }

  /** Gives up the region of what has thrown. */
  async lose(): Promise<void> {
    const failed = this.#failed;
    this.#failed = null;
    if (failed !== null) await this.#fail(failed.region, failed.error);
  }

  /** Does what was asked for. */
  async take(request: RegionRequest): Promise<void> {
    const { slot, report } = this.#parts;
    const { region, round } = request;
    if (request.kind === 'endRegion') {
      if (round === this.#roundOf(region)) await this.#end(region);
      return report({ kind: 'regionEnded', slot, region, round });
    }
    this.#rounds.set(region, round);
    try {
      const built = await this.#parts.build(region, request.start);
      for (const { parts } of built) parts.metrics.setState('RUNNING');
      this.#parts.subtasks.push(...built);
      this.#parts.live.push(...built);
    } catch (cause) {
      return this.#fail(region, cause);
    }
    this.#down.delete(region);
    report({ kind: 'regionReady', slot, region, round });
  }

  /** Told at once, so that checkpoints which are given up for it are not taken for failures of their own. */
  async #fail(region: number, cause: unknown): Promise<void> {
    const { slot, report } = this.#parts;
    const round = this.#roundOf(region);
    report({ kind: 'regionFailed', slot, region, round, error: toWire(cause) });
    await this.#end(region);
    report({ kind: 'regionEnded', slot, region, round });
  }

  /** Closes what there is of a region; what closing throws comes of the failure. */
  async #end(region: number): Promise<void> {
    const { subtasks, live, forget } = this.#parts;
    this.#down.add(region);
    const isOf = (subtask: Subtask): boolean => this.#regionOf(subtask) === region;
    const ended = subtasks.filter(isOf);
    keep(subtasks, (subtask) => !isOf(subtask));
    keep(live, (subtask) => !isOf(subtask));
    for (const { status, parts } of ended) {
      if (status !== SUBTASK_FINISHED) parts.metrics.setState('FAILED');
    }
    forget(region);
    closeAfterFailure(ended);
    await Promise.allSettled(ended.map(({ closed }) => closed));
  }

  #roundOf(region: number): number {
    return this.#rounds.get(region) ?? 0;
  }

  #regionOf({ parts }: Subtask): number {
    return this.#parts.regionOf[parts.vertexId];
  }
}

/** Leaves out, in place, what others hold as well. */
function keep<T>(items: T[], isKept: (item: T) => boolean): void {
  const kept = items.filter(isKept);
  items.length = 0;
  items.push(...kept);
}

/** The regions of a slot, as its run builds them. */
export function slotRegions(
  { plan, deployment, slot, report }: SlotRunParts,
  slotParts: SlotParts,
  subtasks: SlotSubtasks,
): SlotRegions {
  const regionOf = regionsOf(plan);
  const { tables, checkpointing } = slotParts;
  return new SlotRegions({
    ...subtasks,
    slot,
    regionOf,
    build: async (region, start) => {
      checkpointing?.goOnFrom(start.restore);
      const begun = { ...slotParts, deployment: { ...deployment, ...start } };
      return buildSlot(begun, ({ id }) => regionOf[id] === region);
    },
    forget: (region) => {
      keep(tables, ({ vertex }) => regionOf[vertex] !== region);
      checkpointing?.forget((vertex) => regionOf[vertex] === region);
    },
    report: (event) => report({ kind: 'event', event }),
  });
}
