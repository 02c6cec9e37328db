/**
 * Gives the steps of each subtask a name in stacks, so that a profile of a slot's thread tells whose time it was: the
 * name of the file in which a function was generated is the one thing of a frame that can differ between subtasks that
 * share their code. Callers: `subtask.ts` makes them, `job-profile.ts` reads them. Runs on: the slot's thread; reading
 * on any.
 */
import { compileFunction } from 'node:vm';

/** `job-profile.ts` reads it; a module that both share would be a file more for each slot to load. */
const FILE = 'millrace:subtask/';

/** Calls `step`, by a function whose frame names the subtask. */
export function framedStep<T>(vertex: number, subtask: number, step: () => T): () => T {
  const filename = `${FILE}${vertex}/${subtask}`;
  const code = 'return function subtask() { return step(); };';
  return compileFunction(code, ['step'], { filename })(step);
}
