/**
 * Runs every interleaving of a few stepped threads. Generators cannot be copied, so a schedule is replayed from
 * the start; two schedules that lead to the same shared memory and let each thread learn the same have the same
 * future, so only one of them is followed. Callers: the interleaving test. Runs on: the test's thread.
 */
import { createHash } from 'node:crypto';
import type { Steps, StepWorld, Waiter } from './stepped-ring.js';

/** A world to explore, made anew for every schedule. */
export interface Scenario {
  readonly memory: SharedArrayBuffer;
  readonly threads: readonly Steps<void>[];
  /** Throws when the outcome of a complete schedule is wrong. */
  finished(): void;
}

/** What an exploration has seen. */
export interface Exploration {
  readonly states: number;
  readonly schedules: number;
  /** The first schedule that went wrong, and how. */
  readonly failure: string | null;
}

class Run implements StepWorld {
  readonly waiters: Waiter[] = [];
  readonly schedule: number[] = [];
  readonly #scenario: Scenario;
  readonly #learnt: string[];
  readonly #at: (Waiter | null | 'done')[];
  readonly #steps: number[];
  #running = 0;

  constructor(make: (world: StepWorld) => Scenario) {
    this.#scenario = make(this);
    const { threads } = this.#scenario;
    this.#learnt = threads.map(() => '');
    this.#at = threads.map(() => null);
    this.#steps = threads.map(() => 0);
  }

  log(result: number | string): void {
    this.#learnt[this.#running] += `${result},`;
  }

  settled(state: string): void {
    this.#learnt[this.#running] = `${state}:`;
    this.#steps[this.#running] = 0;
  }

  /** Threads that can move. */
  runnable(): readonly number[] {
    return this.#at.flatMap((at, thread) => {
      const isBlocked = at === 'done' || (at !== null && !at.woken);
      return isBlocked ? [] : [thread];
    });
  }

  move(thread: number): void {
    this.#running = thread;
    this.schedule.push(thread);
    this.#steps[thread] = (this.#steps[thread] ?? 0) + 1;
    const result = this.#scenario.threads[thread]?.next();
    this.#at[thread] = result === undefined || result.done === true ? 'done' : result.value;
  }

  /** Nobody can move: all are done and right, or it is a deadlock. */
  finish(): void {
    if (this.#at.some((at) => at !== 'done')) throw new Error('Deadlock: a wake-up was lost.');
    this.#scenario.finished();
  }

  key(): string {
    const hash = createHash('sha1').update(new Uint8Array(this.#scenario.memory));
    return hash.update(`${this.#steps.join()};${this.#learnt.join(';')}`).digest('base64');
  }
}

/** Explores until a failure, or until there is no new state. */
export function explore(make: (world: StepWorld) => Scenario, statesMax = 300_000): Exploration {
  const seen = new Set<string>();
  const pending: (readonly number[])[] = [[]];
  let schedules = 0;
  for (let prefix = pending.pop(); prefix !== undefined; prefix = pending.pop()) {
    const run = new Run(make);
    try {
      for (const thread of prefix) run.move(thread);
      followNew(run, seen, pending);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const failure = `${reason} Schedule: ${run.schedule.join('')}`;
      return { states: seen.size, schedules, failure };
    }
    schedules++;
    if (seen.size > statesMax) throw new Error(`More than ${statesMax} states.`);
  }
  return { states: seen.size, schedules, failure: null };
}

/** Goes on with the first thread that can move until a state is known; the others wait in `pending`. */
function followNew(run: Run, seen: Set<string>, pending: (readonly number[])[]): void {
  for (;;) {
    const key = run.key();
    if (seen.has(key)) return;
    seen.add(key);
    const [first, ...others] = run.runnable();
    if (first === undefined) return run.finish();
    for (const other of others) pending.push([...run.schedule, other]);
    run.move(first);
  }
}
