/**
 * The changes of all jobs as server-sent events: first how everything stands, then what changes. A client that comes
 * back is told everything again, so nothing is missed. What flows is told each second to those who watch it, where it
 * has changed. Callers: `http-server.ts`. Runs on: the server's thread. Invariant: a client that does not read holds no
 * more than a bound, and is left.
 */
import type { Clock } from '../base/clock.js';
import { MillraceError } from '../base/errors.js';
import type { EventStream } from '../runtime/event-stream.js';
import { jobFlow, loadOf } from './flow-view.js';
import { jobSummary } from './job-views.js';
import type { JobChange, ServedJob } from './served-job.js';

/** Bytes that wait for one client at most. */
const WAITING_BYTES_MAX = 1024 * 1024;
/** So often a line is sent that says nothing, lest what is between takes the connection for dead. */
const BEAT_MS = 15_000;
/** So often those who watch what flows are told. */
const WATCH_MS = 1000;
/** Jobs that one client may watch. */
const WATCHED_MAX = 16;

/** Where events are written; Node's response to a request. */
export interface EventSink {
  readonly writableLength: number;
  writeHead(status: number, headers: Readonly<Record<string, string>>): unknown;
  write(text: string): unknown;
  end(): unknown;
  destroy(): unknown;
  once(event: 'close', listener: () => void): unknown;
}

/** Where events come from. */
export interface EventWorld {
  readonly events: EventStream<JobChange>;
  readonly jobs: readonly ServedJob[];
  /** Throws JOB_UNKNOWN. */
  job(id: string): ServedJob;
}

/** What a client watches: `load`, or jobs by their ids. Throws REQUEST_INVALID, JOB_UNKNOWN. */
export function watchedIn(text: string | undefined, world: EventWorld): ReadonlySet<string> {
  const names = new Set((text ?? '').split(',').filter((name) => name !== ''));
  if (names.size > WATCHED_MAX) {
    throw new MillraceError('REQUEST_INVALID', `Nobody watches more than ${WATCHED_MAX} jobs.`);
  }
  for (const name of names) if (name !== 'load') world.job(name);
  return names;
}

/** Follows the changes until the client or the server ends. */
export async function streamEvents(
  sink: EventSink,
  world: EventWorld,
  watched: ReadonlySet<string>,
  clock: Clock,
): Promise<void> {
  const events = world.events.subscribe();
  sink.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  const write = (type: string, data: unknown): void => {
    if (sink.writableLength > WAITING_BYTES_MAX) sink.destroy();
    else sink.write(`event: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
  };
  const timers = [setInterval(() => sink.write(':\n\n'), BEAT_MS)];
  sink.once('close', () => {
    for (const timer of timers) clearInterval(timer);
    void events.return?.();
  });
  write('jobs', { jobs: world.jobs.map((job) => jobSummary(job, clock.epochMs())) });
  if (watched.size > 0) {
    const tell = teller(world, watched, clock, write);
    tell();
    timers.push(setInterval(tell, WATCH_MS));
  }
  for await (const { job, event } of events) {
    if (event === null || event.type === 'state') write('job', jobSummary(job, clock.epochMs()));
    else write(event.type, { jid: job.id, ...event });
  }
  sink.end();
}

/** Tells what flows, and nothing of what is as it was the last time. */
function teller(
  world: EventWorld,
  watched: ReadonlySet<string>,
  clock: Clock,
  write: (type: string, data: unknown) => void,
): () => void {
  const told = new Map<string, string>();
  const tellOf = (name: string, type: string, data: { readonly now: number }): void => {
    const text = JSON.stringify({ ...data, now: 0 });
    if (told.get(name) === text) return;
    told.set(name, text);
    write(type, data);
  };
  return () => {
    const nowMs = clock.epochMs();
    if (watched.has('load')) tellOf('load', 'load', loadOf(world.jobs, nowMs));
    for (const job of world.jobs) {
      if (watched.has(job.id)) tellOf(job.id, 'flow', jobFlow(job, nowMs));
    }
  };
}
