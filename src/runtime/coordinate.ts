/**
 * What the coordinator's thread does: goes on with the coordination of a run, beside a caller's thread that may be
 * blocked, and lets its watchdog look. Callers: the main files of such threads. Runs on: the coordinator's thread.
 */
import { workerData } from 'node:worker_threads';
import { systemClock } from '../base/clock.js';
import type { CheckpointingStart, CheckpointKeeper, KeeperEnds } from './checkpoint-keeper.js';
import { Coordination } from './coordination.js';
import { keepCode } from './kept-code.js';
import type { CoordinatorThreadData, HostMessage, HostRequest } from './messages.js';

/** How often the watchdog looks and deadlines are checked. */
const TICK_MS = 100;

/** Makes what takes the checkpoints of a run. */
export type OpenKeeper = (
  start: CheckpointingStart,
  slots: readonly number[],
  ends: KeeperEnds,
) => CheckpointKeeper;

/** Coordinates the run of this thread to its end. `open` is null for one that takes no checkpoints. */
export function coordinate(open: OpenKeeper | null): void {
  const { hostPort, start } = workerData as CoordinatorThreadData;
  const { checkpointing, slots } = start;
  const ticker = setInterval(() => coordination.tick(), TICK_MS);

  function tell(message: HostMessage): void {
    const isLast = message.kind === 'action' && message.action.kind === 'complete';
    // The thread is not waited for after that.
    if (isLast) keepCode();
    hostPort.postMessage(message);
    if (!isLast) return;
    clearInterval(ticker);
    hostPort.close();
  }

  const keep =
    open === null || checkpointing === null
      ? null
      : (ends: KeeperEnds): CheckpointKeeper => open(checkpointing, slots, ends);
  const coordination = new Coordination(start, systemClock, tell, keep);
  hostPort.on('message', ({ event }: HostRequest) => coordination.send(event));
}
