/**
 * What a subtask does with all that it holds, at a barrier and at its end alike: hands it on, then has its sinks
 * prepare what they have written. Callers: the subtask, the barrier in it. Runs on: the slot's thread. Invariant: a
 * call that is refused is repeated, and does nothing twice.
 */
import type { SinkCommit } from '../checkpoint/contract.js';
import type { ChainTask } from '../operator/contract.js';
import type { SinkPort } from './sink-port.js';
import type { SourceHead } from './source-head.js';

/** Where a subtask holds what it has not handed on. */
export interface SubtaskHolders {
  readonly task: ChainTask;
  readonly source: SourceHead | null;
  readonly sinks: readonly { readonly port: SinkPort }[];
}

/** Hands everything on, through the sinks as far as they can show it; false when an output has no room. */
export function handOn({ task, source, sinks }: SubtaskHolders): boolean {
  if (source?.flush() === false || !task.flush()) return false;
  return sinks.every(({ port }) => port.flushThrough());
}

/** Has every sink prepare once, into `commits`; false while one of them cannot yet. */
export function prepareCommits(
  { sinks }: Pick<SubtaskHolders, 'sinks'>,
  commits: SinkCommit[],
  endOfInput: boolean,
): boolean {
  while (commits.length < sinks.length) {
    const { port } = sinks[commits.length];
    const committables = port.prepareCommit(endOfInput);
    if (committables === null) return false;
    commits.push({ uid: port.uid, committables });
  }
  return true;
}
