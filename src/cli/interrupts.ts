/**
 * What ends a run from outside: the first SIGINT or SIGTERM cancels it in order, the second ends the process at once;
 * a reader of the output that went away, as `head` does, cancels it quietly. Callers: the run command. Runs on: the
 * main thread. Invariant: after `release` the process handles signals as it did before.
 */
import { EXIT_INTERRUPTED } from './exit-codes.js';

/** What happened so far. */
export interface Interrupts {
  readonly isInterrupted: boolean;
  readonly isPipeBroken: boolean;
  release(): void;
}

/** What is done about it. */
export interface InterruptActions {
  /** `message` is for the user; null when there is nobody who could read it. */
  cancel(message: string | null): void;
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Listens until released. */
export function onInterrupts(actions: InterruptActions): Interrupts {
  const state = { isInterrupted: false, isPipeBroken: false };
  const onSignal = (): void => {
    // Exit listeners still run, which give the cursor back.
    if (state.isInterrupted) process.exit(EXIT_INTERRUPTED);
    state.isInterrupted = true;
    actions.cancel('Canceling; interrupt again to end at once.');
  };
  const onOutputError = (error: NodeJS.ErrnoException): void => {
    if (error.code !== 'EPIPE') throw error;
    if (state.isPipeBroken) return;
    state.isPipeBroken = true;
    actions.cancel(null);
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  const streams = [process.stdout, process.stderr];
  for (const stream of streams) stream.on('error', onOutputError);
  return {
    get isInterrupted() {
      return state.isInterrupted;
    },
    get isPipeBroken() {
      return state.isPipeBroken;
    },
    // Streams keep their listener: an error that comes after the end must not bring the process down.
    release: () => {
      for (const signal of SIGNALS) process.off(signal, onSignal);
    },
  };
}
