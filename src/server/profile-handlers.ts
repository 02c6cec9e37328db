/**
 * What the paths of flame graphs, thread dumps and profiles do. Callers: `handlers.ts`. Runs on: the server's thread.
 * Invariant: a job is looked into by one profile at a time, which everybody shares who asks for its flame graphs.
 */
import { HOST_SLOT } from '../graph/physical-plan.js';
import type { FlameGraph, Profile, ThreadDump } from '../rest/profile-schemas.js';
import { entryUrl } from '../runtime/entry-url.js';
import {
  type FlameGraphType,
  flameGraph,
  frameName,
  type JobProfile,
  type SeenStack,
  stacksOf,
  stacksOfPart,
  type ThreadStack,
} from '../runtime/job-profile.js';
import { vertexId } from '../runtime/vertex-id.js';
import type { Dispatcher } from './dispatcher.js';
import type { Handlers } from './handlers.js';
import { isTerminal } from './job-record.js';
import type { ServedJob } from './served-job.js';
import { subtaskIndex, vertexOf } from './vertex-views.js';

/** For how long a flame graph looks, and how old one may be that is shown. */
const FLAME_SECONDS = 1;
const FRESH_MS = 3000;
/** How Flink says why there is none. */
const TERMINATED: FlameGraph = { endTimestamp: -1 };
const WAITING: FlameGraph = { endTimestamp: -3 };

/** Loaded when somebody asks. */
type Profiling = Pick<typeof import('../runtime/thread-stacks.js'), 'threadStacks'>;

interface SeenStacks {
  readonly endMs: number;
  readonly stacks: readonly SeenStack[];
}

/** The functions. */
export function profileHandlers(dispatcher: Dispatcher) {
  const flames = new Flames();
  return {
    flameGraph: async ({ params, query }) => {
      const job = dispatcher.job(params.jobid);
      const vertex = vertexOf(job, params.vertexid);
      const { subtaskindex, type = 'FULL' } = query;
      const subtask =
        subtaskindex === undefined ? null : subtaskIndex(job.id, vertex, subtaskindex);
      if (isTerminal(job.record.status)) return TERMINATED;
      if (job.record.status !== 'RUNNING') return WAITING;
      const { endMs, stacks } = await flames.of(job);
      const slots = subtask === null ? vertex.slots : [vertex.slots[subtask] ?? HOST_SLOT];
      const part = { vertex: vertex.id, subtask, slots };
      const kind = type.toUpperCase() as FlameGraphType;
      return {
        endTimestamp: Math.round(endMs),
        data: flameGraph(stacksOfPart(stacks, part, kind)),
      };
    },
    jobProfile: async ({ params, query: { seconds = '1' } }) => {
      const job = dispatcher.job(params.jobid);
      return profileView(job, await job.profile(Number(seconds)));
    },
    taskManagerThreadDump: async ({ params }) =>
      threadDump(await dispatcher.job(params.taskmanagerid).threadStacks()),
    jobManagerThreadDump: async () => {
      const { threadStacks }: Profiling = await import(entryUrl('thread-stacks'));
      return threadDump(await threadStacks());
    },
  } satisfies Partial<Handlers>;
}

/** The newest stacks of jobs of which flame graphs are asked for. */
class Flames {
  readonly #seen = new Map<string, Promise<SeenStacks>>();

  of(job: ServedJob): Promise<SeenStacks> {
    const known = this.#seen.get(job.id);
    if (known !== undefined) return known;
    const looking = job
      .profile(FLAME_SECONDS)
      .then((profile) => ({ endMs: profile.endMs, stacks: stacksOf(profile) }));
    this.#seen.set(job.id, looking);
    const forget = (): void => {
      this.#seen.delete(job.id);
    };
    looking.then(() => setTimeout(forget, FRESH_MS).unref(), forget);
    return looking;
  }
}

function profileView({ record }: ServedJob, { startMs, endMs, threads }: JobProfile): Profile {
  const vertices = (record.plan?.vertices ?? []).map(({ id, uid, name }) => {
    return { id: vertexId(uid), name, number: id };
  });
  return {
    'start-time': Math.round(startMs),
    'end-time': Math.round(endMs),
    vertices,
    threads,
  };
}

/** As Java writes them, for people and for programs that read Java's. */
function threadDump(stacks: readonly ThreadStack[]): ThreadDump {
  return {
    threadInfos: stacks.map(({ name, id, state, frames }) => {
      const lines = frames.map((frame) => `\tat ${frameName(frame)}\n`).join('');
      return {
        threadName: name,
        stringifiedThreadInfo: `"${name}" Id=${id} ${state}\n${lines}\n`,
      };
    }),
  };
}
