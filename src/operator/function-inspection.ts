/**
 * What a process function holds, as somebody outside sees it who may only look. Callers: the test kit. Runs on: the
 * slot's thread, between two calls of the chain task. Invariant: looking changes nothing.
 */
import type { TimeDomain } from './process-function.js';

/** A timer that waits. */
export interface HeldTimer {
  readonly timeMs: number;
  readonly domain: TimeDomain;
  /** Values of the key it belongs to, in order of the key's fields. */
  readonly key: readonly unknown[];
}

/** The timers and states of a process function in one subtask. */
export interface FunctionInspection {
  readonly uid: string;
  readonly name: string;
  /** Names of the key's fields as results have them; empty where the function has no key. */
  readonly keyNames: readonly string[];
  /** Names of the states declared so far: none before the first record. */
  readonly keyedStates: readonly string[];
  readonly operatorStates: readonly string[];
  /** Timers in order of their time. */
  timers(): readonly HeldTimer[];
  /** Value, array or Map that a keyed state holds of a key; undefined for nothing. */
  keyedState(name: string, key: readonly unknown[]): unknown;
  /** Array or Map that a state without key holds. */
  operatorState(name: string): unknown;
}
