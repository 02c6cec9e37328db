/**
 * The main file of a slot's thread: imports the job, rebuilds its plan, builds its subtasks and runs them.
 * Callers: `slot-threads.ts` starts it as a worker. Runs on: the slot's thread. Invariant: whatever happens, the
 * coordinator is told exactly once how the slot ended, and everything that was opened is closed.
 */
import { type MessagePort, parentPort, receiveMessageOnPort } from 'node:worker_threads';
import { systemClock } from '../base/clock.js';
import { MillraceError, toWire } from '../base/errors.js';
import { nodeDisk } from '../base/node-disk.js';
import type { PhysicalPlan } from '../graph/physical-plan.js';
import { planJob } from '../graph/plan.js';
import { AsyncParker } from '../ring/parker.js';
import type { Deployment } from './deployment.js';
import { eventLoopHold, nextEventLoopTurn } from './event-loop.js';
import { importJob } from './job-import.js';
import { keepCode } from './kept-code.js';
import { learnLambdas } from './lambda-readings.js';
import type { SlotAheadData, SlotAheadDone, SlotMessage, SlotThreadData } from './messages.js';
import { planOptionsOf } from './plan-options.js';
import { runSlot } from './slot-run.js';
import type { TapDesk } from './tap-listener.js';
import type { AheadTask, TablesAhead } from './tables-ahead.js';

function post(port: MessagePort, message: SlotMessage): void {
  port.postMessage(message);
}

async function rebuildPlan(deployment: Deployment): Promise<PhysicalPlan> {
  if (deployment.moduleUrl === null) {
    throw new MillraceError('ASSERTION', 'A worker slot is given the module of its job.');
  }
  const job = await importJob(deployment.moduleUrl, deployment.jobName, { isSlot: true });
  learnLambdas(deployment.lambdaReadings);
  const plan = planJob(job.build(deployment.params), {
    ...planOptionsOf(deployment.settings, deployment.params, deployment.kept),
    parallelism: deployment.parallelism,
  });
  if (plan.hash === deployment.planHash) return plan;
  throw new MillraceError('JOB_MISMATCH', 'A worker thread built another job than was submitted.', {
    where: { job: deployment.jobName, file: deployment.moduleUrl },
    advice:
      'A job must come out the same in every thread: no clocks, random numbers or environment in ' +
      'module scope; pass such values as params.',
  });
}

/** Requests lie at the thread's own port, where a slot that never waits for events finds them too. */
const desk: TapDesk = {
  take: () => (parentPort === null ? null : (receiveMessageOnPort(parentPort)?.message ?? null)),
  tell: (report) => parentPort?.postMessage(report),
};

async function main(
  { port, slot, deployment }: SlotThreadData,
  ahead: TablesAhead | null,
): Promise<void> {
  // The import may never settle, and `waitAsync` holds nothing.
  const letGo = eventLoopHold();
  try {
    const plan = await rebuildPlan(deployment);
    await runSlot({
      plan,
      deployment,
      slot,
      ahead,
      clock: systemClock,
      disk: nodeDisk,
      mayBlock: true,
      shuffle: null,
      asyncParker: (word) => new AsyncParker(word, eventLoopHold),
      yieldToEvents: nextEventLoopTurn,
      report: (message) => {
        // A thread that has ended is not waited for. Only threads of our own write: no program that embeds the engine.
        if (message.kind === 'event' && message.event.kind === 'slotEnded') keepCode();
        post(port, message);
      },
      tapDesk: desk,
    });
  } catch (error) {
    post(port, { kind: 'event', event: { kind: 'slotFailed', slot, error: toWire(error) } });
  } finally {
    letGo();
    port.close();
    // The job's module may hold the loop open (servers, timers); in a slot nothing of it is wanted.
    process.exit(0);
  }
}

/** What cannot be loaded ahead is loaded when the run begins, which tells what is wrong. */
async function loadAhead(task: AheadTask, before: TablesAhead | null): Promise<void> {
  const loading = import('./tables-ahead.js').then(({ TablesAhead: Tables }) => {
    const tables = before ?? new Tables();
    tables.follow(nodeDisk, task);
    return tables;
  });
  const [ahead, error] = await loading.then(
    (loaded) => [loaded, null] as const,
    (cause: unknown) => [null, toWire(cause)] as const,
  );
  take(ahead);
  parentPort?.postMessage({ error } satisfies SlotAheadDone);
}

// The thread is started before it is settled what it runs.
function take(ahead: TablesAhead | null): void {
  parentPort?.once('message', (data: SlotThreadData | SlotAheadData) => {
    if ('ahead' in data) void loadAhead(data.ahead, ahead);
    else void main(data, ahead);
  });
}

take(null);
