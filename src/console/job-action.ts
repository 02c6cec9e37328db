/**
 * What can be done to a job, with the REST call and the command line that do the same. Callers: the dialog that asks
 * before it is done. Runs on: the page's thread; pure but for the calls. Invariant: what is shown is what is done.
 */
import { formatDuration } from '../base/units.js';
import type { JobStatus } from '../rest/job-schemas.js';
import type { Client } from '../rest/client.js';

/** A number that is asked for. */
export interface AskedNumber {
  readonly label: string;
  readonly least: number;
  readonly most: number;
}

/** Something that can be done to a job. */
export interface JobAction {
  readonly name: 'checkpoint' | 'savepoint' | 'rescale' | 'stop' | 'cancel';
  readonly label: string;
  /** What becomes of the job. */
  readonly consequence: string;
  readonly isDestructive: boolean;
  /** The number that it takes; absent for none. */
  readonly number?: AskedNumber;
  rest(jid: string, number: string): string;
  commandLine(jid: string, number: string): string;
  /** Does it, and tells what has come of it. */
  run(client: Client, jid: string, number: string): Promise<string>;
}

/** In the order of their buttons. */
export const JOB_ACTIONS: readonly JobAction[] = [
  {
    name: 'checkpoint',
    label: 'Checkpoint',
    consequence: 'The job goes on; a restart begins from here.',
    isDestructive: false,
    rest: (jid) => `POST /jobs/${jid}/checkpoints\n{}`,
    commandLine: (jid) => `millrace checkpoint ${jid}`,
    run: async (client, jid) => {
      const { 'request-id': triggerid } = await client.takeCheckpoint({ jobid: jid }, {});
      return `Checkpoint ${await client.checkpointDone({ jobid: jid, triggerid })} is complete.`;
    },
  },
  {
    name: 'savepoint',
    label: 'Savepoint',
    consequence:
      'The job goes on. The savepoint is whole, can be moved, and stays until you delete it.',
    isDestructive: false,
    rest: (jid) => `POST /jobs/${jid}/savepoints\n{}`,
    commandLine: (jid) => `millrace savepoint ${jid}`,
    run: async (client, jid) => {
      const { 'request-id': triggerid } = await client.takeSavepoint({ jobid: jid }, {});
      return `The savepoint is in ${await client.savepointDone({ jobid: jid, triggerid })}`;
    },
  },
  {
    name: 'rescale',
    label: 'Rescale',
    consequence:
      'The job pauses, and goes on from a checkpoint of that instant with as many subtasks ' +
      'of each operator that names no number of its own.',
    isDestructive: false,
    number: { label: 'Parallelism', least: 1, most: 32_768 },
    rest: (jid, parallelism) => `PATCH /jobs/${jid}/rescaling?parallelism=${parallelism}`,
    commandLine: (jid, parallelism) => `millrace rescale ${jid} ${parallelism}`,
    run: async (client, jid, parallelism) => {
      const { 'request-id': triggerid } = await client.rescaleJob({ jobid: jid, parallelism });
      const { from, to, restartMs } = await client.rescalingDone({ jobid: jid, triggerid });
      const away = formatDuration(Math.round(restartMs));
      return from === to
        ? `The parallelism is ${to} already.`
        : `The parallelism is ${to}, before ${from}. Away for ${away}.`;
    },
  },
  {
    name: 'stop',
    label: 'Stop',
    consequence: 'The job ends in order, with a savepoint from which it can go on another time.',
    isDestructive: true,
    rest: (jid) => `POST /jobs/${jid}/stop\n{"drain":false}`,
    commandLine: (jid) => `millrace stop ${jid}`,
    run: async (client, jid) => {
      const { 'request-id': triggerid } = await client.stopJob({ jobid: jid }, { drain: false });
      const place = await client.savepointDone({ jobid: jid, triggerid });
      return `Stopped; its savepoint is in ${place}`;
    },
  },
  {
    name: 'cancel',
    label: 'Cancel',
    consequence:
      'The job ends at once, without a savepoint. What it has not committed is thrown away, ' +
      'and so are its checkpoints unless its settings retain them.',
    isDestructive: true,
    rest: (jid) => `PATCH /jobs/${jid}?mode=cancel`,
    commandLine: (jid) => `millrace cancel ${jid}`,
    run: async (client, jid) => {
      await client.cancelJob({ jobid: jid, mode: 'cancel' });
      return 'The job is being canceled.';
    },
  },
];

const ENDED: ReadonlySet<JobStatus> = new Set<JobStatus>(['FINISHED', 'FAILED', 'CANCELED']);

export function hasEnded(state: JobStatus): boolean {
  return ENDED.has(state);
}

/** Whether something can be done now. */
export function isPossible({ name }: JobAction, state: JobStatus): boolean {
  if (name === 'cancel') return !hasEnded(state) && state !== 'CANCELLING';
  return state === 'RUNNING';
}
