/**
 * What the command line says of checkpoints and restarts, a line each; what goes as it should is not worth one.
 * Callers: `run-command.ts`. Runs on: the main thread; pure.
 */
import type { WireError } from '../base/errors.js';
import { formatDuration } from '../base/units.js';
import type { ExecutionEvent } from '../runtime/execution.js';
import { shortPath } from './short-path.js';

/** Events that concern checkpoints and restarts. */
export type CheckpointingEvent = Extract<
  ExecutionEvent,
  { readonly type: 'restored' | 'checkpoint' | 'chainBroken' | 'restart' | 'rescaled' }
>;

/** The line for an event; null for none. Paths are shown relative to `directory`. */
export function checkpointingLine(event: CheckpointingEvent, directory: string): string | null {
  if (event.type === 'restored') {
    const { checkpoint, path, mapping, damaged } = event;
    const place = path === null ? '' : ` (${shortPath(path, directory)})`;
    const lost = mapping.lost.length === 0 ? '' : `; left out: ${mapping.lost.join(', ')}`;
    const fresh = mapping.fresh.length === 0 ? '' : `; new: ${mapping.fresh.join(', ')}`;
    const passed = damaged.map((error) => `; passed over ${faultText(error, directory)}`);
    return `Continues from checkpoint ${checkpoint}${place}${fresh}${lost}${passed.join('')}`;
  }
  if (event.type === 'restart') {
    const { error, delayMs, vertices } = event;
    const who = vertices === null ? 'Starts' : chainsStart(vertices);
    return `Failed: ${error.message} ${who} again after ${formatDuration(delayMs)}.`;
  }
  if (event.type === 'rescaled') {
    const { from, to, restartMs } = event.report;
    return `Rescaled from ${from} to ${to}; away for ${formatDuration(Math.round(restartMs))}.`;
  }
  if (event.type === 'chainBroken') {
    return `The next checkpoint holds all state: ${faultText(event.error, directory)}`;
  }
  const { id, kind, status, reason, error } = event.report;
  if (status !== 'failed' || reason === 'shutdown' || reason === 'subsumed') return null;
  return `The ${kind} ${id} failed: ${error?.message ?? reason}`;
}

/** The line for a job that had finished before it was started. */
export function finishedBeforeLine(atMs: number): string {
  const at = new Date(atMs).toISOString().replace('T', ' ').slice(0, 19);
  return (
    `Nothing to do: the job had finished at ${at} UTC. To run it again, leave out --from or add ` +
    '-D execution.stateRecovery.ifFinished=anew.'
  );
}

/** What is wrong with a damaged checkpoint, and where. */
function faultText({ message, where }: WireError, directory: string): string {
  const { file, byteOffset } = where;
  const at = byteOffset === undefined ? '' : ` at byte ${byteOffset}`;
  const place = file === undefined ? '' : `${shortPath(file, directory)}${at}: `;
  return `${place}${message}`;
}

/** Of a part of the job that starts again by itself: its chains by the numbers that explain gives them. */
function chainsStart(vertices: readonly number[]): string {
  const [last, ...others] = vertices.toReversed();
  if (others.length === 0) return `Chain ${last} starts`;
  return `Chains ${others.toReversed().join(', ')} and ${last} start`;
}
