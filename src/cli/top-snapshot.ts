/**
 * How the jobs of a server stand at a moment, asked for over REST. Callers: `top-command.ts`. Runs on: the main thread.
 * Invariant: a job that is gone by the time it is asked about is left out, not an error.
 */
import { MillraceError } from '../base/errors.js';
import type { Client } from '../rest/client.js';
import type { JobFlow, JobSummary } from '../rest/job-schemas.js';

/** A job at a moment; times are milliseconds, shares are of 1. */
export interface TopJob {
  readonly jobid: string;
  readonly name: string;
  readonly state: JobSummary['state'];
  readonly duration: number;
  readonly recordsPerSecond: number;
  /** Of its busiest chain, and of its most blocked one. */
  readonly busy: number;
  readonly blocked: number;
  /** Since its newest checkpoint was completed; null without one. */
  readonly checkpointAge: number | null;
  readonly restarts: number;
  /** Of its process; null without one. */
  readonly residentBytes: number | null;
  /** What keeps it from being faster; null while there is too little to say. */
  readonly bottleneck: string | null;
}

/** The server and its jobs at a moment. */
export interface TopSnapshot {
  readonly url: string;
  readonly now: number;
  readonly slotsTotal: number;
  readonly slotsAvailable: number;
  /** Jobs that run or wait, those that read the most first. */
  readonly jobs: readonly TopJob[];
  /** What flows through each, by id. */
  readonly flows: ReadonlyMap<string, JobFlow>;
}

/** Jobs that are asked about at once. */
const ASKED_AT_ONCE = 8;

/** Asks for everything. Rejects with what requests reject with, such as SERVER_UNREACHABLE. */
export async function topSnapshot(client: Client): Promise<TopSnapshot> {
  const [overview, { jobs }, load] = await Promise.all([
    client.overview(),
    client.jobsOverview(),
    client.jobsLoad(),
  ]);
  const loads = new Map(load.jobs.map((one) => [one.jid, one]));
  const open = jobs.filter((job) => job['end-time'] < 0);
  const found: TopJob[] = [];
  const flows = new Map<string, JobFlow>();
  for (let from = 0; from < open.length; from += ASKED_AT_ONCE) {
    const asked = open.slice(from, from + ASKED_AT_ONCE).map(async (job) => {
      const [flow, memory] = await flowAndMemory(client, job.jid);
      if (flow === null) return;
      const { recordsPerSecond = 0, restarts = 0, checkpointed = null } = loads.get(job.jid) ?? {};
      flows.set(job.jid, flow);
      found.push({
        jobid: job.jid,
        name: job.name,
        state: flow.state,
        duration: job.duration,
        recordsPerSecond,
        busy: Math.max(0, ...flow.vertices.map(({ busy }) => busy)),
        blocked: Math.max(0, ...flow.vertices.map(({ blocked }) => blocked)),
        checkpointAge: checkpointed === null ? null : Math.max(0, load.now - checkpointed),
        restarts,
        residentBytes: memory,
        bottleneck: flow.bottleneck?.sentence ?? null,
      });
    });
    await Promise.all(asked);
  }
  return {
    url: client.url,
    now: load.now,
    slotsTotal: overview['slots-total'],
    slotsAvailable: overview['slots-available'],
    jobs: found.toSorted(byRate),
    flows,
  };
}

function byRate(a: TopJob, b: TopJob): number {
  return b.recordsPerSecond - a.recordsPerSecond || (a.jobid < b.jobid ? -1 : 1);
}

async function flowAndMemory(
  client: Client,
  jobid: string,
): Promise<readonly [JobFlow | null, number | null]> {
  try {
    const [flow, memory] = await Promise.all([
      client.jobFlow({ jobid }),
      client.jobMemory({ jobid }),
    ]);
    return [flow, memory.residentBytes];
  } catch (error) {
    if (MillraceError.is(error) && error.code === 'JOB_UNKNOWN') return [null, null];
    throw error;
  }
}
