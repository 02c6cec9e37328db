/**
 * What the paths do that look into the state of checkpoints. Callers: `handlers.ts`. Runs on: the server's thread, on
 * which nothing of a checkpoint is read. Invariant: only checkpoints are read that the record of the job knows.
 */
import { resolve } from 'node:path';
import { MillraceError } from '../base/errors.js';
import { pauseFor } from '../base/pause.js';
import type { ParamsOf } from '../rest/path-types.js';
import type { StateReading } from '../runtime/state-reading.js';
import { unknownCheckpoint } from './checkpoint-views.js';
import type { Handlers, HandlersWorld } from './handlers.js';
import { type JobRecord, nameOf } from './job-record.js';
import { refuseRecords } from './tap-stream.js';

/** Whatever looks into checkpoints. */
export type StateReader = Pick<StateReading, 'list' | 'page'>;

/** Until a job has told of a checkpoint for which it has deleted another one. */
const TOLD_MS = 300;

type Which = ParamsOf<'checkpointState'>;

/** The functions. */
export function stateHandlers({ dispatcher, states, showsRecords }: HandlersWorld) {
  const read = async <T>({ jobid, checkpointid }: Which, look: (path: string) => Promise<T>) => {
    const path = (): string => pathOfCheckpoint(dispatcher.job(jobid).record, checkpointid);
    const newest = path();
    try {
      return await look(newest);
    } catch (error) {
      if (checkpointid !== 'latest') throw error;
      // Deleted for one that is newer, of which the job is about to tell.
      await pauseFor(TOLD_MS).over;
      if (path() === newest) throw error;
      return look(path());
    }
  };
  return {
    checkpointState: ({ params }) => read(params, (path) => states.list(path)),
    stateEntries: ({ params, query }) => {
      const { operator, state, limit = '100', bytes = '2048', ...which } = query;
      if (!showsRecords) throw refuseRecords();
      if (operator === undefined || state === undefined) {
        throw new MillraceError('REQUEST_INVALID', 'The operator or the state is missing.', {
          advice: 'Add ?operator=<uid>&state=<name>; the path without /entries lists them.',
        });
      }
      const asked = { ...which, operator, state, limit: Number(limit), bytes: Number(bytes) };
      return read(params, (path) => states.page(path, asked));
    },
  } satisfies Partial<Handlers>;
}

/** Throws PATH_UNKNOWN, and CHECKPOINT_NOT_FOUND for one that is kept in memory. */
function pathOfCheckpoint(record: JobRecord, id: string): string {
  const { history, latest } = record.checkpoints;
  const { completed, savepoint, restored } = latest;
  const known = [...history, completed, savepoint].filter((one) => one?.status === 'completed');
  const all = [...known, restored].filter((one) => one !== null && one !== undefined);
  const newest = Math.max(...all.map((one) => one.id));
  const found = all.find((one) => String(one.id) === (id === 'latest' ? String(newest) : id));
  if (found === undefined) throw unknownCheckpoint(record, id);
  if (found.path !== null) return resolve(record.submission.baseDirectory, found.path);
  throw new MillraceError('CHECKPOINT_NOT_FOUND', `Checkpoint ${found.id} is in memory only.`, {
    where: { job: nameOf(record) },
    advice: 'Submit the job with execution.checkpointing.dir.',
  });
}
