/**
 * The main file of the coordinator's thread: feeds the coordinator with what the slots report and carries out
 * what it answers, beside a caller's thread that may be blocked. It is the watchdog too: it sees in shared memory
 * which operator runs for how long. Callers: `threaded-run.ts` starts it as a worker. Runs on: the coordinator's
 * thread.
 */
import { type MessagePort, workerData } from 'node:worker_threads';
import { systemClock } from '../base/clock.js';
import { wakerFor } from '../ring/parker.js';
import { ControlMemory } from './control-layout.js';
import { Coordinator, type CoordinatorAction, type CoordinatorEvent } from './coordinator.js';
import type { CoordinatorThreadData, HostMessage, HostRequest, SlotMessage } from './messages.js';
import { Watchdog } from './watchdog.js';

/** How often the watchdog looks and deadlines are checked. */
const TICK_MS = 100;
/** How long a closed port waits for the thread's error, which comes by way of the caller's thread. */
const EXIT_GRACE_MS = 300;

const data = workerData as CoordinatorThreadData;
const control = new ControlMemory(data.control, data.vertices);
const watchdog = new Watchdog(data, systemClock);
const coordinator = new Coordinator({
  slots: data.slots,
  cancellationTimeoutMs: data.cancellationTimeoutMs,
});

function tell(message: HostMessage): void {
  data.hostPort.postMessage(message);
}

function handle(event: CoordinatorEvent): void {
  for (const action of coordinator.handle(watchdog.describe(event))) perform(action);
}

function perform(action: CoordinatorAction): void {
  if (action.kind === 'command') {
    const word = action.slot < 0 ? data.workerSlots : action.slot;
    control.command(word, action.command);
    wakerFor(control.parkerWord(word)).wake();
    return;
  }
  tell({ kind: 'action', action });
  if (action.kind === 'complete') finish();
}

function finish(): void {
  clearInterval(ticker);
  for (const port of data.slotPorts) port.close();
  data.hostPort.close();
}

/**
 * The end of a thread is learnt twice, in either order: its port closes after its last message, and the caller's
 * thread reports the exit with the error. Only both together say how it ended.
 */
class ThreadEnd {
  readonly #slot: number;
  #isClosed = false;
  #exit: CoordinatorEvent | null = null;

  constructor(slot: number) {
    this.#slot = slot;
  }

  closed(): void {
    this.#isClosed = true;
    if (this.#exit !== null) handle(this.#exit);
    else setTimeout(() => this.exited(null), EXIT_GRACE_MS);
  }

  exited(event: CoordinatorEvent | null): void {
    this.#exit ??= event ?? { kind: 'slotExited', slot: this.#slot, error: null };
    if (this.#isClosed) handle(this.#exit);
  }
}

function listen(slot: number, port: MessagePort): ThreadEnd {
  const end = new ThreadEnd(slot);
  port.on('message', (message: SlotMessage) => {
    if (message.kind === 'event') handle(message.event);
    else tell(message);
  });
  port.on('close', () => end.closed());
  return end;
}

const ticker = setInterval(() => {
  handle({ kind: 'tick', nowMs: systemClock.monotonicMs() });
  for (const event of watchdog.look()) handle(event);
}, TICK_MS);

const ends = new Map(
  data.slots.map((slot, index) => [slot, listen(slot, data.slotPorts[index])] as const),
);
data.hostPort.on('message', ({ event }: HostRequest) => {
  if (event.kind === 'slotExited') ends.get(event.slot)?.exited(event);
  else handle(event);
});
