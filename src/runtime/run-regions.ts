/**
 * The regions of a run that are down: which slots have still to give one up, which have still to come up with it again.
 * A part of the coordinator's state machine, as pure as the rest. Callers: `coordinator.ts`. Runs on: the coordinator's
 * thread. Invariant: a region is told as down once for each round, after all slots have closed what they had of it.
 */
import type { WireError } from '../base/errors.js';
import type { PhysicalPlan } from '../graph/physical-plan.js';
import { regionsOf } from '../graph/regions.js';

/** A region as the coordinator knows it. */
export interface RunRegion {
  /** Those that have subtasks of it. */
  readonly slots: readonly number[];
  /** Ids of its vertices. */
  readonly vertices: readonly number[];
  /** Uids of its sinks. */
  readonly sinks: readonly string[];
}

/** A region and how often it has been started again: of earlier rounds nothing counts any more. */
export interface RegionRound {
  readonly region: number;
  readonly round: number;
}

/** What slots tell. */
export type RegionEvent = RegionRound & { readonly slot: number } & (
    | { readonly kind: 'regionFailed'; readonly error: WireError }
    /** The slot has closed what it had of the region. */
    | { readonly kind: 'regionEnded' }
    /** The slot has its subtasks of the region again. */
    | { readonly kind: 'regionReady' }
  );

/** All slots have closed what they had of a region: it may be started again. */
export interface RegionDown extends RegionRound, Pick<RunRegion, 'sinks' | 'vertices'> {
  readonly kind: 'regionDown';
  readonly error: WireError;
}

/** What the caller's thread must do. */
export type RegionAction =
  /** All slots are to close what they have of it. */
  | ({ readonly kind: 'endRegion' } & RegionRound)
  | RegionDown
  | { readonly kind: 'terminate'; readonly slot: number };

/** What regions can be restarted by themselves; none where the plan has but one. */
export function runRegions(plan: PhysicalPlan): readonly RunRegion[] {
  const regionOf = regionsOf(plan);
  const count = Math.max(0, ...regionOf) + 1;
  if (count < 2) return [];
  return Array.from({ length: count }, (_, region) => {
    const vertices = plan.vertices.filter(({ id }) => regionOf[id] === region);
    return {
      slots: [...new Set(vertices.flatMap(({ slots }) => slots))],
      vertices: vertices.map(({ id }) => id),
      sinks: vertices.flatMap(({ sinks }) => sinks.map(({ identity }) => identity.uid)),
    };
  });
}

/** A region that does not run. */
interface Down {
  readonly error: WireError;
  /** `ending` until all slots have given it up; then `starting` until all have it again. */
  readonly phase: 'ending' | 'starting';
  readonly waitsFor: Set<number>;
  /** When slots that have not given it up are terminated; set by the first tick. */
  deadlineMs: number | null;
}

/** The regions of one run. */
export class RunRegions {
  readonly #regions: readonly RunRegion[];
  readonly #timeoutMs: number;
  readonly #down = new Map<number, Down>();
  readonly #rounds: number[];

  constructor(regions: readonly RunRegion[], timeoutMs: number) {
    this.#regions = regions;
    this.#timeoutMs = timeoutMs;
    this.#rounds = regions.map(() => 0);
  }

  get areUp(): boolean {
    return this.#down.size === 0;
  }

  slotsOf(region: number): readonly number[] {
    return this.#regions[region].slots;
  }

  /** Why a region cannot come up again without this slot, which has ended. */
  missed(slot: number): WireError | undefined {
    const missing = [...this.#down].find(([region]) => this.slotsOf(region).includes(slot));
    return missing?.[1].error;
  }

  handle(event: RegionEvent): readonly RegionAction[] {
    const { region, round, slot } = event;
    if (round !== this.#rounds[region]) return [];
    if (event.kind === 'regionFailed') return this.#failed(region, event.error);
    const down = this.#down.get(region);
    const awaited = event.kind === 'regionEnded' ? 'ending' : 'starting';
    if (down?.phase !== awaited || !down.waitsFor.delete(slot)) return [];
    return this.#next(region, down);
  }

  overdue(nowMs: number): RegionAction[] {
    return [...this.#down.values()].flatMap((down) => {
      if (down.phase !== 'ending') return [];
      // Slots that have not given it up for too long are terminated.
      down.deadlineMs ??= nowMs + this.#timeoutMs;
      const late = nowMs < down.deadlineMs ? [] : [...down.waitsFor];
      return late.map((slot) => ({ kind: 'terminate', slot }) as const);
    });
  }

  #failed(region: number, error: WireError): readonly RegionAction[] {
    if (this.#down.get(region)?.phase === 'ending') return [];
    const round = this.#rounds[region];
    const waitsFor = new Set(this.slotsOf(region));
    this.#down.set(region, { error, phase: 'ending', waitsFor, deadlineMs: null });
    return [{ kind: 'endRegion', region, round }];
  }

  #next(region: number, down: Down): readonly RegionAction[] {
    if (down.waitsFor.size > 0) return [];
    if (down.phase === 'starting') {
      this.#down.delete(region);
      return [];
    }
    const { vertices, sinks } = this.#regions[region];
    const round = ++this.#rounds[region];
    this.#down.set(region, { ...down, phase: 'starting', waitsFor: new Set(this.slotsOf(region)) });
    return [{ kind: 'regionDown', region, round, error: down.error, vertices, sinks }];
  }
}
