/**
 * Process functions of the engine that are large and not needed to build a job: they come to a slot with the rest of
 * what has state, and to their operators in the context that opens them. Callers: `chain-process.ts` gives them, the
 * api asks for them. Runs on: the slot's thread.
 */
import { intervalJoin } from './join/interval-join.js';
import { regularJoin } from './join/regular-join.js';
import { pairsOf, windowCoGroup } from './join/window-join.js';
import type { ProcessContext } from './process-function.js';
import { sampler } from './sampler.js';
import { openWindows } from './window/window-operator.js';

/** All of them. */
export const ENGINE_FUNCTIONS = {
  openWindows,
  windowCoGroup,
  pairsOf,
  regularJoin,
  intervalJoin,
  sampler,
} as const;

/** What functions of the engine are opened with. */
export interface EngineProcessContext extends ProcessContext {
  readonly engine: typeof ENGINE_FUNCTIONS;
}
