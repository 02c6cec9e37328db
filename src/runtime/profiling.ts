/**
 * Looks into threads of this process with the profiler of V8, over the inspector that Node.js has built in: no code of
 * it is in the threads that are looked into, and while nobody looks there is nothing of it. Callers: `execution.ts`,
 * the child process of a job and the server, which load it when somebody asks. Runs on: the main thread, as workers are
 * reached from there only. Invariants: nothing stays on when a look is over; looks come one after the other.
 */
import type { Session } from 'node:inspector';
import { setFlagsFromString } from 'node:v8';
import { isMainThread } from 'node:worker_threads';
import { systemClock } from '../base/clock.js';
import { MillraceError } from '../base/errors.js';
import { pauseFor } from '../base/pause.js';
import type { CpuProfile, JobProfile, ProfileFrame, ThreadStack } from './job-profile.js';
import { MAIN_THREAD, type SlotThreadId } from './slot-thread-id.js';

/** Between two samples of a thread. */
const SAMPLE_US = 1000;
/** Given to V8 to compile again what it has thrown away. */
const WARM_MS = 150;
/** For which stacks are looked at, of which the last is taken. */
const STACK_MS = 30;
/** A thread that does not answer in time, as within a long call of the system, is left out. */
const ANSWER_MS = 10_000;
const SECONDS_DEFAULT = 1;
const SECONDS_LEAST = 0.1;
const SECONDS_MOST = 60;

/**
 * Whether a sample in a function that is inlined tells of that function. Before, V8 told of its caller, except for
 * functions that call others; these have to be kept from being inlined, unless they are as small as a getter.
 */
const TELLS_OF_INLINED = Number.parseInt(process.versions.v8, 10) >= 14;
/** Bytes of bytecode up to which V8 inlines functions, and up to which it does while it does not tell of them. */
const INLINED_BYTES = 460;
const INLINED_BYTES_SEEN = 27;

/** The length of a look in milliseconds. Throws OPTION_INVALID. */
export function profileMs(seconds: number = SECONDS_DEFAULT): number {
  if (seconds >= SECONDS_LEAST && seconds <= SECONDS_MOST) return Math.round(seconds * 1000);
  throw new MillraceError('OPTION_INVALID', `A profile of ${seconds} seconds cannot be taken.`, {
    advice: `Give a number from ${SECONDS_LEAST} to ${SECONDS_MOST}.`,
  });
}

let last: Promise<unknown> = Promise.resolve();

/** Runs looks one after the other, since they share the profiler of each thread. */
function oneAfterTheOther<T>(look: () => Promise<T>): Promise<T> {
  const next = last.then(look);
  last = next.catch(() => {});
  return next;
}

/** Profiles threads that run slots. Rejects with PROFILE_UNAVAILABLE, also when none of them answers. */
export function profileSlots(slots: readonly SlotThreadId[], ms: number): Promise<JobProfile> {
  return oneAfterTheOther(() =>
    withInspector(async (inspector) => {
      const threads = slots.flatMap(({ slot, threadId }) => {
        const thread = inspector.threads.find(({ id }) => id === threadId);
        return thread === undefined ? [] : [{ slot, thread }];
      });
      const { warmMs, startMs, endMs } = await whileInlinedIsSeen(async () => {
        const beganMs = systemClock.monotonicMs();
        await Promise.all(threads.map(({ thread }) => beginNamed(thread)));
        await pauseFor(WARM_MS).over;
        const warmed = {
          startMs: systemClock.epochMs(),
          warmMs: systemClock.monotonicMs() - beganMs,
        };
        await pauseFor(ms).over;
        return { ...warmed, endMs: systemClock.epochMs() };
      });
      const profiles = await Promise.all(
        threads.map(async ({ slot, thread }) => {
          const profile = await stop(thread);
          if (!TELLS_OF_INLINED) await compileAgain(thread);
          return { slot, profile };
        }),
      );
      const answered = profiles.flatMap(({ slot, profile }) =>
        profile === null ? [] : [{ slot, profile: cut(profile, warmMs) }],
      );
      if (answered.length === 0) throw silent();
      return { startMs, endMs, threads: answered };
    }),
  );
}

/** What every thread of this process does just now. Rejects with PROFILE_UNAVAILABLE. */
export function threadStacks(): Promise<readonly ThreadStack[]> {
  return oneAfterTheOther(() =>
    withInspector(async ({ threads }) => {
      await Promise.all(threads.map(begin));
      await pauseFor(STACK_MS).over;
      const stacks = await Promise.all(
        threads.map(async (thread) => {
          const profile = await stop(thread);
          return profile === null ? [] : [stackOf(thread, profile)];
        }),
      );
      return stacks.flat().toSorted((a, b) => a.id - b.id);
    }),
  );
}

/** A thread as the inspector sees it. */
interface InspectedThread {
  readonly id: number;
  readonly name: string;
  /** Null when it does not answer, or has ended. */
  ask(method: string, params?: object): Promise<unknown>;
}

async function begin(thread: InspectedThread): Promise<void> {
  await thread.ask('Profiler.enable');
  await thread.ask('Profiler.setSamplingInterval', { interval: SAMPLE_US });
  await thread.ask('Profiler.start');
}

/**
 * Begins with the names of all functions. Of one that V8 has put into its caller before the profiler was on, no sample
 * tells; so it is made to compile again.
 */
async function beginNamed(thread: InspectedThread): Promise<void> {
  await begin(thread);
  await compileAgain(thread);
}

/** Has V8 throw away what it has optimized, which it does when it is to count calls, and soon optimizes again. */
async function compileAgain(thread: InspectedThread): Promise<void> {
  await thread.ask('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  await thread.ask('Profiler.stopPreciseCoverage');
}

/** Samples of what runs meanwhile tell of functions that V8 would inline otherwise. */
async function whileInlinedIsSeen<T>(look: () => Promise<T>): Promise<T> {
  inlineUpTo(INLINED_BYTES_SEEN);
  try {
    return await look();
  } finally {
    inlineUpTo(INLINED_BYTES);
  }
}

/** For all threads of the process; not where whoever started it has settled what is inlined. */
function inlineUpTo(bytes: number): void {
  const isSettled = process.execArgv.some((flag) => /inlin/.test(flag));
  if (!TELLS_OF_INLINED && !isSettled) setFlagsFromString(`--max-inlined-bytecode-size=${bytes}`);
}

/** A profile without its first milliseconds. */
function cut(profile: CpuProfile, ms: number): CpuProfile {
  const { startTime, samples = [], timeDeltas = [] } = profile;
  let us = 0;
  let from = 0;
  while (from < samples.length && us + (timeDeltas[from] ?? 0) < ms * 1000) {
    us += timeDeltas[from++] ?? 0;
  }
  const kept = { samples: samples.slice(from), timeDeltas: timeDeltas.slice(from) };
  return { ...profile, startTime: startTime + us, ...kept };
}

async function stop(thread: InspectedThread): Promise<CpuProfile | null> {
  const reply = (await thread.ask('Profiler.stop')) as { readonly profile: CpuProfile } | null;
  return reply?.profile ?? null;
}

function stackOf({ id, name }: InspectedThread, { nodes, samples = [] }: CpuProfile): ThreadStack {
  const frames: ProfileFrame[] = [];
  const byChild = new Map(
    nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node] as const)),
  );
  let node = nodes.find((one) => one.id === samples.at(-1));
  for (; node !== undefined; node = byChild.get(node.id)) frames.push(node.callFrame);
  const named = frames.filter(
    ({ functionName }) => !/^\((root|program|idle)\)$/.test(functionName),
  );
  const isWaiting = named.length === 0 || named[0]?.functionName === 'park';
  return { name, id, state: isWaiting ? 'WAITING' : 'RUNNABLE', frames: named };
}

interface Inspector {
  readonly threads: readonly InspectedThread[];
}

/** Connects to all threads of the process, and lets go of them in the end. */
async function withInspector<T>(look: (inspector: Inspector) => Promise<T>): Promise<T> {
  if (!isMainThread) {
    throw new MillraceError('PROFILE_UNAVAILABLE', 'The job was started in a worker thread.', {
      advice: 'Start it from the main thread, or with isolate: process.',
    });
  }
  const { Session: OpenSession } = await import('node:inspector').catch((cause: unknown) => {
    throw new MillraceError('PROFILE_UNAVAILABLE', 'This Node.js has no inspector.', { cause });
  });
  const session = new OpenSession();
  session.connect();
  const workers = new Workers(session);
  try {
    const found = await workers.attach();
    return await look({ threads: [mainThread(session), ...found] });
  } finally {
    workers.detach();
    session.disconnect();
  }
}

function mainThread(session: Session): InspectedThread {
  return {
    id: MAIN_THREAD,
    name: 'main',
    ask: (method, params = {}) =>
      new Promise((resolve) => {
        session.post(method, params, (error, result) => resolve(error === null ? result : null));
      }),
  };
}

interface WorkerMessage {
  readonly params: { readonly sessionId: string; readonly message: string };
}
interface WorkerAttached {
  readonly params: {
    readonly sessionId: string;
    readonly workerInfo: { readonly workerId: string; readonly title: string };
  };
}

/** The workers of the process. */
class Workers {
  readonly #session: Session;
  readonly #waiting = new Map<string, (result: unknown) => void>();
  #lastId = 0;

  constructor(session: Session) {
    this.#session = session;
  }

  async attach(): Promise<readonly InspectedThread[]> {
    const found: InspectedThread[] = [];
    this.#session.on('NodeWorker.attachedToWorker', ({ params }: WorkerAttached) => {
      const { sessionId, workerInfo } = params;
      // As `[worker 3] name`.
      const [, id, name = ''] = /^\[worker (\d+)\] ?(.*)$/.exec(workerInfo.title) ?? [];
      found.push({
        id: Number(id),
        name: name === '' ? workerInfo.title : name,
        ask: (method, asked = {}) => this.#ask(sessionId, method, asked),
      });
    });
    this.#session.on('NodeWorker.receivedMessageFromWorker', ({ params }: WorkerMessage) => {
      const { id, result } = JSON.parse(params.message);
      this.#answer(`${params.sessionId} ${id}`, result ?? null);
    });
    this.#session.on(
      'NodeWorker.detachedFromWorker',
      ({ params }: { readonly params: { readonly sessionId: string } }) => {
        for (const key of this.#waiting.keys()) {
          if (key.startsWith(`${params.sessionId} `)) this.#answer(key, null);
        }
      },
    );
    // Those there are answer before it does.
    await new Promise<void>((resolve, reject) => {
      this.#session.post('NodeWorker.enable', { waitForDebuggerOnStart: false }, (error) => {
        if (error === null) resolve();
        else reject(new MillraceError('PROFILE_UNAVAILABLE', 'Workers cannot be looked into.'));
      });
    });
    return found;
  }

  detach(): void {
    this.#session.post('NodeWorker.disable');
    for (const key of this.#waiting.keys()) this.#answer(key, null);
  }

  #ask(sessionId: string, method: string, params: object): Promise<unknown> {
    const id = ++this.#lastId;
    const key = `${sessionId} ${id}`;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#answer(key, null), ANSWER_MS);
      this.#waiting.set(key, (result) => {
        clearTimeout(timer);
        resolve(result);
      });
      const message = JSON.stringify({ id, method, params });
      this.#session.post('NodeWorker.sendMessageToWorker', { sessionId, message }, (error) => {
        if (error !== null) this.#answer(key, null);
      });
    });
  }

  #answer(key: string, result: unknown): void {
    const answered = this.#waiting.get(key);
    this.#waiting.delete(key);
    answered?.(result);
  }
}

function silent(): MillraceError {
  return new MillraceError('PROFILE_UNAVAILABLE', 'No thread of the job answers.', {
    advice: 'It may be ending, or within long calls of the system; ask again.',
  });
}
