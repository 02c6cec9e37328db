/**
 * Plans a run without starting anything: builds the graph, decides between threads and the calling thread, plans. Apart
 * from starting, so that a thread that only builds a job, and `explain`, do not load what starts one. Callers:
 * `start-run.ts`, `explain-job.ts`, the command line. Runs on: the caller's thread.
 */
import { availableParallelism } from 'node:os';
import { MillraceError } from '../base/errors.js';
import type { LogicalGraph } from '../graph/logical-graph.js';
import { HOST_SLOT, type PhysicalPlan } from '../graph/physical-plan.js';
import { planJob } from '../graph/plan.js';
import { checkSchemas } from '../graph/schema-check.js';
import type { MetricReporter } from '../reporters/reporter.js';
import type { Schema } from '../record/schema.js';
import type { InThreadWorld } from './in-thread-run.js';
import type { RunnableJob } from './job-import.js';
import { type KeptOfPlan, planOptionsOf } from './plan-options.js';
import type { Settings } from './settings.js';

/** Who a job is over all of its lives, for whoever starts it again after its process has died. */
export interface JobIdentity {
  /** 32 hex digits; the name of its directory of checkpoints. */
  readonly jobId: string;
  /** Whether it goes on from the newest checkpoint it has taken; from what the settings say while it has none. */
  readonly isResumed: boolean;
}

/** What a run is asked for. */
export interface RunRequest {
  readonly job: RunnableJob;
  readonly params: unknown;
  readonly settings: Settings;
  readonly baseDirectory: string;
  readonly signal: AbortSignal | null;
  /**
   * The caller has nothing to do but to wait for the end, so its event loop is free while the run starts. Absent, it
   * may be blocked from the start.
   */
  readonly awaitsEnd?: boolean;
  /**
   * Absent, the job is a new one unless it goes on from the latest checkpoint of its name. Whoever gives it deletes the
   * checkpoints once it has recorded how the job ended.
   */
  readonly identity?: JobIdentity;
  /** What was settled before of operators that are told nothing else; absent for nothing. */
  readonly kept?: KeptOfPlan;
  /** Reporters of the user, by name; the settings have those of the engine. */
  readonly reporters?: Readonly<Record<string, MetricReporter>>;
  /** Replaces clock, disk and order of stepping of an in-thread run; for tests and simulation. */
  readonly world?: InThreadWorld;
}

/** What is known of a run before it is planned. */
export interface RunDraft {
  readonly graph: LogicalGraph;
  /** Subtasks of operators that name no number of their own. */
  readonly parallelism: number;
  readonly isThreaded: boolean;
}

/** Builds the graph and decides between threads and the calling thread. */
export function draftOf(request: RunRequest): RunDraft {
  const { settings, params } = request;
  const graph = request.job.build(params);
  const isThreaded = usesThreads(request, graph);
  const parallelism = settings.parallelism ?? (isThreaded ? availableParallelism() : 1);
  return { graph, parallelism, isThreaded };
}

/** Plans the job as `startRun` would, without running it. */
export function planOf(request: RunRequest, draft: RunDraft = draftOf(request)): PlannedRun {
  const { graph, parallelism, isThreaded } = draft;
  const { settings, params, kept } = request;
  const options = { ...planOptionsOf(settings, params, kept), parallelism };
  const plan = planJob(graph, options);
  return {
    plan: isThreaded ? plan : planInThread(plan),
    parallelism,
    check: (sourceSchemas) => void checkSchemas(graph, sourceSchemas),
  };
}

/** A plan, and what it was made of. */
export interface PlannedRun {
  readonly plan: PhysicalPlan;
  readonly parallelism: number;
  /** Checks the names and types in the job against the schemas that sources found, by uid. */
  check(sourceSchemas: ReadonlyMap<string, Schema>): void;
}

/** The plan with every subtask on the caller's thread. */
export function planInThread(plan: PhysicalPlan): PhysicalPlan {
  const vertices = plan.vertices.map((vertex) => ({
    ...vertex,
    slots: vertex.slots.map(() => HOST_SLOT),
  }));
  return { ...plan, vertices, slots: 0 };
}

/** Threads where the job can be imported by them; otherwise the calling thread, if that is not a lie. */
function usesThreads({ job, settings, world }: RunRequest, graph: LogicalGraph): boolean {
  if (settings.runtime === 'in-thread' || world !== undefined) return false;
  if (settings.runtime === 'auto' && settings.parallelism === null && isSmall(graph)) return false;
  if (job.isImportable && job.module !== null) return true;
  const asked = settings.runtime === 'threads' || (settings.parallelism ?? 1) > 1;
  if (!asked) return false;
  throw notImportable({ job });
}

/** Below this many rows, all of them in memory, starting threads costs more than it can save. */
const SMALL_ROWS_MAX = 10_000;

function isSmall(graph: LogicalGraph): boolean {
  let rows = 0;
  for (const node of graph.nodes) {
    if (node.kind === 'source') rows += node.connector.rows ?? Number.POSITIVE_INFINITY;
  }
  return rows <= SMALL_ROWS_MAX;
}

/** The error of a job that its threads cannot get hold of. */
export function notImportable({ job }: Pick<RunRequest, 'job'>): MillraceError {
  return new MillraceError(
    'JOB_NOT_IMPORTABLE',
    `The job "${job.name}" cannot run in worker threads: importing its module does not define it.`,
    {
      where: { job: job.name, ...(job.module === null ? {} : { file: job.module }) },
      advice:
        'Call job() at the top level of a module and pass values as params, or run it with ' +
        '{ parallelism: 1 } in the calling thread.',
    },
  );
}
