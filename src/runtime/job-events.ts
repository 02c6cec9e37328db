/**
 * The events of a job, for its listeners and for the channels of `node:diagnostics_channel` on which programs hear of
 * all jobs of their process: `millrace:` and the type of the event, that of states being `millrace:job`. Callers: the
 * handles on jobs. Runs on: the caller's thread. Invariant: a channel that nobody listens to costs one look.
 */
import { channel, type Channel } from 'node:diagnostics_channel';
import { EventStream } from './event-stream.js';
import type { ExecutionEvent } from './execution.js';

const CHANNELS: Readonly<Record<ExecutionEvent['type'], Channel>> = {
  state: channel('millrace:job'),
  checkpoint: channel('millrace:checkpoint'),
  restart: channel('millrace:restart'),
  restored: channel('millrace:restored'),
  rescaled: channel('millrace:rescaled'),
  chainBroken: channel('millrace:chainBroken'),
  badRecord: channel('millrace:badRecord'),
  log: channel('millrace:log'),
};

/** The events of one job. */
export class JobEvents extends EventStream<ExecutionEvent> {
  readonly #jobName: () => string;

  constructor(jobName: () => string) {
    super();
    this.#jobName = jobName;
  }

  override push(event: ExecutionEvent): void {
    super.push(event);
    const { [event.type]: heard } = CHANNELS;
    if (heard.hasSubscribers) heard.publish({ job: this.#jobName(), ...event });
  }
}
