/**
 * Names of the directories and files of checkpoints, which are Flink's. Paths within a job's checkpoint directory are
 * relative to it and have forward slashes. Callers: the store, slots, whoever opens a checkpoint. Runs on: any thread;
 * pure. Invariant: the file of a slot's state has a name that no other file of the job has ever had, so that a file can
 * move between directories and an attempt never meets the files of another.
 */
import { join } from 'node:path';
import { MillraceError } from '../base/errors.js';

/** The file that says what a checkpoint consists of; a directory without it is not a checkpoint. */
export const METADATA = '_metadata';
/** Files that several checkpoints refer to. */
export const SHARED = 'shared';

/** Where the checkpoints of a job are. */
export function jobDirectory(directory: string, jobId: string): string {
  if (/^[\w-][\w.-]*$/.test(jobId)) return join(directory, jobId);
  throw new MillraceError('OPTION_INVALID', `A job cannot have the id ${JSON.stringify(jobId)}.`, {
    advice: 'It names a directory: use letters, digits, and _ . - behind the first character.',
  });
}

export function checkpointName(id: number): string {
  return `chk-${id}`;
}

/** Null for names of other things. */
export function checkpointIdOf(name: string): number | null {
  const [, digits] = /^chk-([1-9]\d{0,15})$/.exec(name) ?? [];
  return digits === undefined ? null : Number(digits);
}

/** Where a slot writes its state. What a later checkpoint may build on outlives the directory of this one. */
export function stateDirectory(id: number, isShared: boolean): string {
  return isShared ? SHARED : checkpointName(id);
}

/** Who wrote a file of state. */
export interface StateFileIdentity {
  readonly checkpoint: number;
  readonly slot: number;
  readonly attempt: number;
}

/** `state-7-0-2`: checkpoint, slot, attempt. */
export function stateFileName({ checkpoint, slot, attempt }: StateFileIdentity): string {
  return `state-${checkpoint}-${slot}-${attempt}`;
}

/** Null for names of other things. */
export function stateFileIdentity(name: string): StateFileIdentity | null {
  const match = /^state-(\d+)-(\d+)-(\d+)$/.exec(name);
  if (match === null) return null;
  const [checkpoint = 0, slot = 0, attempt = 0] = match.slice(1).map(Number);
  return { checkpoint, slot, attempt };
}

/** `savepoint-3f2a91-0b1c2d3e4f5a`: start of the job's id, then something random. */
export function savepointName(jobId: string, random: () => number): string {
  const hex = (digits: number): string =>
    Math.floor(random() * 16 ** digits)
      .toString(16)
      .padStart(digits, '0');
  return `savepoint-${jobId.slice(0, 6)}-${hex(6)}${hex(6)}`;
}
