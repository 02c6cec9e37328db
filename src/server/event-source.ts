/**
 * The changes of all jobs as server-sent events: first how everything stands, then what changes. A client that comes
 * back is told everything again, so nothing is missed. Callers: `http-server.ts`. Runs on: the server's thread.
 * Invariant: a client that does not read holds no more than a bound, and is left.
 */
import type { Clock } from '../base/clock.js';
import type { EventStream } from '../runtime/event-stream.js';
import { jobSummary } from './job-views.js';
import type { JobChange, ServedJob } from './served-job.js';

/** Bytes that wait for one client at most. */
const WAITING_BYTES_MAX = 1024 * 1024;
/** So often a line is sent that says nothing, lest what is between takes the connection for dead. */
const BEAT_MS = 15_000;

/** Where events are written; Node's response to a request. */
export interface EventSink {
  readonly writableLength: number;
  writeHead(status: number, headers: Readonly<Record<string, string>>): unknown;
  write(text: string): unknown;
  end(): unknown;
  destroy(): unknown;
  once(event: 'close', listener: () => void): unknown;
}

/** Follows the changes until the client or the server ends. */
export async function streamEvents(
  sink: EventSink,
  changes: EventStream<JobChange>,
  jobs: readonly ServedJob[],
  clock: Clock,
): Promise<void> {
  const events = changes.subscribe();
  sink.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  const write = (type: string, data: unknown): void => {
    if (sink.writableLength > WAITING_BYTES_MAX) sink.destroy();
    else sink.write(`event: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
  };
  const beat = setInterval(() => sink.write(':\n\n'), BEAT_MS);
  sink.once('close', () => {
    clearInterval(beat);
    void events.return?.();
  });
  write('jobs', { jobs: jobs.map((job) => jobSummary(job, clock.epochMs())) });
  for await (const { job, event } of events) {
    if (event === null || event.type === 'state') write('job', jobSummary(job, clock.epochMs()));
    else write(event.type, { jid: job.id, ...event });
  }
  sink.end();
}
