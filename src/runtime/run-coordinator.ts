/**
 * What coordinates a run: its life cycle and, where it takes them, its checkpoints, two state machines that are told
 * the same events. Callers: `coordination.ts` and the in-thread runtime, which carry out what it answers. Runs on:
 * the coordinator's thread. Invariant: a run that takes checkpoints is complete only after its output is visible.
 */
import {
  Coordinator,
  type CoordinatorAction,
  type JobState,
  type RunEvent,
} from './coordinator.js';
import type { CheckpointKeeper } from './checkpoint-keeper.js';
import type { RunRegion } from './run-regions.js';

/** What a run coordinator is made of. */
export interface RunCoordinatorParts {
  readonly slots: readonly number[];
  readonly cancellationTimeoutMs: number;
  readonly regions: readonly RunRegion[];
  /** Carries out what the life cycle demands. */
  perform(action: CoordinatorAction): void;
}

const NO_TIMING = {
  startDelayMs: 0,
  alignmentMs: 0,
  syncMs: 0,
  asyncMs: 0,
  bytes: 0,
  inFlightBytes: 0,
};

type SlotGone = Extract<RunEvent, { readonly kind: 'slotEnded' | 'slotFailed' | 'slotExited' }>;

/** With these an attempt takes no further checkpoints. */
const ENDS: ReadonlySet<JobState> = new Set(['FAILING', 'CANCELLING', 'FINISHED']);

/** Coordinates one attempt of a job. */
export class RunCoordinator {
  readonly #parts: RunCoordinatorParts;
  readonly #coordinator: Coordinator;
  readonly #keeper: CheckpointKeeper | null;

  /** `keeper` is null for a run that takes no checkpoints. */
  constructor(parts: RunCoordinatorParts, keeper: CheckpointKeeper | null) {
    const { slots, cancellationTimeoutMs, regions } = parts;
    this.#parts = parts;
    this.#keeper = keeper;
    this.#coordinator = new Coordinator({
      slots,
      cancellationTimeoutMs,
      regions,
      takesCheckpoints: keeper !== null,
    });
  }

  handle(event: RunEvent): void {
    switch (event.kind) {
      case 'request':
      case 'followed':
      case 'committed':
      case 'slotAcknowledged':
      case 'slotDeclined':
        this.#keeper?.handle(event);
        return;
      case 'regionFailed':
        // Sources that a checkpoint has stopped do not begin again.
        if (this.#keeper?.isStopped === true) {
          return this.handle({ kind: 'failed', error: event.error });
        }
        break;
      case 'slotEnded':
      case 'slotFailed':
      case 'slotExited':
        return this.#slotGone(event);
    }
    for (const action of this.#coordinator.handle(event)) this.#perform(action);
    if (event.kind === 'subtaskFinished') {
      const { kind, checkpoint } = event;
      const snapshot = { ...event.snapshot, isFinished: true, pieces: [], timing: NO_TIMING };
      this.#keeper?.handle({ kind, checkpoint, snapshot });
    }
  }

  /** A slot that is gone writes for no checkpoint any more, however it has ended. */
  #slotGone(event: SlotGone): void {
    const ended = { kind: 'slotEnded', slot: event.slot } as const;
    // Before, since with the last one the run that fails is complete.
    const isFailing = !this.#isGoingWell;
    if (isFailing) this.#keeper?.handle(ended);
    for (const action of this.#coordinator.handle(event)) this.#perform(action);
    // Afterwards, since with the last one the keeper may come to the end of the run.
    const isOrderly = event.kind === 'slotEnded' && this.#isGoingWell;
    if (!isFailing && (isOrderly || this.#isStopping)) this.#keeper?.handle(ended);
  }

  get #isStopping(): boolean {
    const { state } = this.#coordinator;
    return state === 'FAILING' || state === 'CANCELLING';
  }

  /** A slot without work may have ended before others have started. */
  get #isGoingWell(): boolean {
    const { state } = this.#coordinator;
    return state === 'CREATED' || state === 'RUNNING' || state === 'RESTARTING';
  }

  #perform(action: CoordinatorAction): void {
    if (action.kind === 'state') {
      if (action.state === 'RUNNING') this.#keeper?.handle({ kind: 'running' });
      if (action.state === 'RESTARTING') this.#keeper?.handle({ kind: 'regionFailed' });
      if (ENDS.has(action.state)) this.#keeper?.end();
    }
    if (action.kind === 'regionDown') {
      this.#keeper?.handle({ ...action, kind: 'regionEnded' });
    }
    this.#parts.perform(action);
  }
}
