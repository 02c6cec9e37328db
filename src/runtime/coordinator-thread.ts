/**
 * The main file of the coordinator's thread: goes on with the coordination of a run, beside a caller's thread that may
 * be blocked, and lets its watchdog look. Callers: `threaded-run.ts` starts it as a worker. Runs on: the coordinator's
 * thread.
 */
import { workerData } from 'node:worker_threads';
import { systemClock } from '../base/clock.js';
import { Coordination } from './coordination.js';
import type { CoordinatorThreadData, HostMessage, HostRequest } from './messages.js';

/** How often the watchdog looks and deadlines are checked. */
const TICK_MS = 100;

const { hostPort, start } = workerData as CoordinatorThreadData;
const ticker = setInterval(() => coordination.tick(), TICK_MS);

function tell(message: HostMessage): void {
  hostPort.postMessage(message);
  if (message.kind !== 'action' || message.action.kind !== 'complete') return;
  clearInterval(ticker);
  hostPort.close();
}

const coordination = new Coordination(start, systemClock, tell);
hostPort.on('message', ({ event }: HostRequest) => coordination.send(event));
