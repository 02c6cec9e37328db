/**
 * What can be done to a job, with the REST call and the command line that do the same. Callers: the dialog that asks
 * before it is done. Runs on: the page's thread; pure but for the calls. Invariant: what is shown is what is done.
 */
import type { JobStatus } from '../rest/job-schemas.js';
import type { Client } from '../rest/client.js';

/** Something that can be done to a job. */
export interface JobAction {
  readonly name: 'checkpoint' | 'savepoint' | 'stop' | 'cancel';
  readonly label: string;
  /** What becomes of the job. */
  readonly consequence: string;
  readonly isDestructive: boolean;
  rest(jid: string): string;
  commandLine(jid: string): string;
  /** Does it, and tells what has come of it. */
  run(client: Client, jid: string): Promise<string>;
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
