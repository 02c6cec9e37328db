/**
 * One instance of the part of a flow that is under test: its chains as the in-thread runtime builds them, fed by the
 * test and stepped until nothing is left to do. Callers: `test-harness.ts`. Runs on: the test's thread. Invariant:
 * between two calls every record that was fed has been handed on or is in state, so a snapshot may be taken.
 */
import type { Clock } from '../base/clock.js';
import { MillraceError } from '../base/errors.js';
import { didYouMean } from '../base/nearest-name.js';
import { nodeDisk } from '../base/node-disk.js';
import type { PhysicalPlan } from '../graph/physical-plan.js';
import type { CallsReport } from '../metrics/task-metrics.js';
import { STEP_DONE } from '../operator/contract.js';
import type { FunctionInspection } from '../operator/function-inspection.js';
import { closeAll } from '../runtime/close-all.js';
import { deploy } from '../runtime/deploy.js';
import { nextEventLoopTurn } from '../runtime/event-loop.js';
import type { Settings } from '../runtime/settings.js';
import { buildSlot } from '../runtime/slot-builder.js';
import { located } from '../runtime/slot-loop.js';
import { TapSites } from '../runtime/tap-site.js';
import { HOST_SLOT } from '../graph/physical-plan.js';
import {
  SUBTASK_FINISHED,
  SUBTASK_IDLE,
  SUBTASK_WAITING,
  type Subtask,
  type SubtaskStatus,
} from '../runtime/subtask.js';
import { WATERMARK_MIN } from '../time/watermark.js';
import type { TestFeed } from './test-feed.js';
import { NOTHING_KEPT } from '../runtime/plan-options.js';

/** Passes without a record leaving after which a part is taken for one that never rests: half a million timers. */
const SILENT_PASSES_MAX = 16;
/** Rows a call may work on before it is interrupted. */
const BUDGET_ROWS = 1024;
const SEED = 1;

/** State of a part under test, as a checkpoint would hold it. */
export interface TestSnapshot {
  readonly pieces: readonly {
    /** The operator's. */
    readonly uid: string;
    readonly name: string;
    /** -1 for state without a key. */
    readonly keyGroup: number;
    readonly bytes: Uint8Array;
  }[];
}

/** Calls of asynchronous functions, see `CallsReport`. */
type CallCounts = Pick<CallsReport, 'inFlight' | 'unanswered' | 'answers'>;

/** What an instance is made of. */
export interface InstanceParts {
  readonly plan: PhysicalPlan;
  readonly settings: Settings;
  readonly clock: Clock;
  /** The feed in the place of a source, by the source's uid. */
  readonly feeds: ReadonlyMap<string, TestFeed>;
  /** How many records have left so far. */
  readonly recordsOut: () => number;
}

/** A running part. */
export class TestInstance {
  readonly #subtasks: readonly Subtask[];
  readonly #live: Subtask[];
  readonly #recordsOut: () => number;

  private constructor(subtasks: readonly Subtask[], recordsOut: () => number) {
    this.#recordsOut = recordsOut;
    this.#subtasks = subtasks;
    this.#live = [...subtasks];
  }

  /** Builds an instance, with the state of a snapshot. */
  static async start(parts: InstanceParts, from: TestSnapshot | null): Promise<TestInstance> {
    const { plan, settings, clock, feeds } = parts;
    const deployment = deploy(plan, {
      jobName: plan.jobName,
      attempt: 'test',
      moduleUrl: null,
      params: {},
      planHash: plan.hash,
      parallelism: 1,
      kept: NOTHING_KEPT,
      baseDirectory: process.cwd(),
      settings,
      seed: SEED,
      sourcePlans: plan.vertices.map(() => null),
      sinkPlans: plan.vertices.map(({ sinks }) => sinks.map(() => null)),
      checkpointing: null,
      restore: null,
    });
    const subtasks = await buildSlot({
      plan,
      deployment,
      slot: HOST_SLOT,
      clock,
      disk: nodeDisk,
      tables: [],
      taps: new TapSites(),
      checkpointing: null,
      onBadRecord: () => {},
      onLog: () => {},
      feed: ({ source, name }) => {
        const feed = feeds.get(source?.identity.uid ?? '');
        if (feed === undefined) {
          throw new MillraceError('ASSERTION', `Nothing feeds "${name}".`);
        }
        return feed;
      },
    });
    const instance = new TestInstance(subtasks, parts.recordsOut);
    if (from !== null) instance.#restore(plan, from);
    return instance;
  }

  /** Steps every subtask until none can do anything. */
  settle(): void {
    let before = this.#recordsOut();
    for (let silent = 0; silent < SILENT_PASSES_MAX; silent++) {
      const statuses = [...this.#live].map((subtask) => this.#step(subtask));
      if (statuses.every(isAtRest) && this.#live.every(({ sleepMs }) => sleepMs > 0)) return;
      const after = this.#recordsOut();
      if (after > before) silent = 0;
      before = after;
    }
    throw new MillraceError('TEST_MISUSED', 'The part under test does not come to rest.', {
      advice: 'Look for a timer that registers another one of a time that has passed.',
    });
  }

  /** The same, and hears answers to calls for as long as they come at once, without waiting for the world outside. */
  async rest(): Promise<void> {
    this.settle();
    while (this.calls.unanswered > 0) {
      const before = this.calls.answers;
      await nextEventLoopTurn();
      if (this.calls.answers === before) return;
      this.settle();
    }
  }

  /** Calls of asynchronous functions, of all subtasks. */
  get calls(): CallCounts {
    const reports = this.#subtasks.flatMap(({ parts }) => parts.task.callsReport ?? []);
    const total = (name: keyof CallCounts): number =>
      reports.reduce((sum, report) => sum + report[name], 0);
    return {
      inFlight: total('inFlight'),
      unanswered: total('unanswered'),
      answers: total('answers'),
    };
  }

  #step(subtask: Subtask): SubtaskStatus {
    const status = this.#located(subtask, () => subtask.step());
    if (status === SUBTASK_FINISHED) this.#live.splice(this.#live.indexOf(subtask), 1);
    return status;
  }

  #located<R>({ parts }: Subtask, call: () => R): R {
    try {
      return call();
    } catch (error) {
      throw located(error, { operator: parts.name, uid: parts.uid, subtask: parts.index });
    }
  }

  /** State of everything but loops, which is refused, after what belongs before the barrier has been handed on. */
  snapshot(): TestSnapshot {
    if (this.#subtasks.some(({ parts }) => parts.gate?.stop !== undefined)) throw noSnapshot();
    const pieces: TestSnapshot['pieces'][number][] = [];
    // Upstream first, because what one hands on may change the state of the next.
    for (const subtask of this.#subtasks) {
      const { task } = subtask.parts;
      const cursor = { position: 0 };
      const prepare = (): number => task.prepareBarrier(cursor, BUDGET_ROWS);
      while (this.#located(subtask, prepare) !== STEP_DONE) this.settle();
      this.settle();
    }
    for (const subtask of this.#subtasks) {
      const put = (uid: string, name: string, keyGroup: number, bytes: Uint8Array): void => {
        pieces.push({ uid, name, keyGroup, bytes });
      };
      this.#located(subtask, () => subtask.parts.task.snapshot({ put }));
    }
    return { pieces };
  }

  #restore(plan: PhysicalPlan, { pieces }: TestSnapshot): void {
    const uids = plan.vertices.flatMap(({ operators }) => operators.map(({ spec }) => spec.uid));
    const orphan = pieces.find(({ uid }) => !uids.includes(uid));
    if (orphan !== undefined) throw noOwner(orphan.uid, uids);
    for (const subtask of this.#subtasks) {
      const get = (uid: string, name: string): TestSnapshot['pieces'] =>
        pieces.filter((piece) => piece.uid === uid && piece.name === name);
      this.#located(subtask, () => subtask.parts.task.restore({ get }));
    }
  }

  /** What all process functions hold. */
  inspect(): readonly FunctionInspection[] {
    return this.#subtasks.flatMap(({ parts }) => parts.task.inspect());
  }

  /** The watermark that all that has left is behind, null before the first; and whether it is idle. */
  get outputTime(): { readonly watermarkMs: number | null; readonly isIdle: boolean } {
    const ends = this.#subtasks.filter(({ parts }) => parts.sinks.length > 0);
    const times = ends.map(({ parts }) => parts.task.time);
    const watermarkMs = Math.min(...times.map((time) => time.watermarkMs));
    return {
      watermarkMs: watermarkMs === WATERMARK_MIN ? null : watermarkMs,
      isIdle: times.every(({ isIdle }) => isIdle),
    };
  }

  /** Closes everything; the promise is fulfilled when clients have been let go of. */
  close(): Promise<unknown> {
    closeAll(this.#subtasks);
    return Promise.all(this.#subtasks.map(({ closed }) => closed));
  }
}

/** Whether only the test, or an answer to a call, can have a subtask go on. */
function isAtRest(status: SubtaskStatus): boolean {
  return status === SUBTASK_IDLE || status === SUBTASK_WAITING;
}

function noOwner(uid: string, known: readonly string[]): MillraceError {
  return new MillraceError(
    'TEST_MISUSED',
    `The snapshot holds state of the operator "${uid}", which this part does not have.`,
    {
      where: { uid },
      advice: `Give operators with state a uid that stays. ${didYouMean(uid, known)}`,
    },
  );
}

/** What goes round in a loop is in no state; loops are of bounded jobs, which a restart begins anew. */
function noSnapshot(): MillraceError {
  return new MillraceError('FEATURE_UNSUPPORTED', 'A part with a loop takes no snapshots.', {
    advice: 'Test the body of iterate(...) by itself, or drive the whole without restoring.',
  });
}
