/**
 * What the window operator keeps for a key: the content of its windows, what triggers remember, and which sessions
 * there are. Callers: `window-operator.ts`. Runs on: the slot's thread. Invariant: all of it is keyed state, so that
 * it is part of snapshots; a value is put before it is changed in place, so that a snapshot under way has the old one.
 */
import type { KeyedStates } from '../process-function.js';
import type { MapState, ValueState } from '../../state/state-handles.js';
import type { WindowElement } from './evictor.js';
import type { Fold } from './fold.js';
import { type TimeWindow, windowId } from './window.js';

/** Records of a window, apart from their times. */
interface Held<T> {
  readonly records: T[];
  readonly times: number[];
}

/** The content of windows: all records, or the one value that `fold` makes of them. */
export class WindowContents<T> {
  readonly #held: MapState<string, Held<T>>;
  readonly #folded: MapState<string, readonly [unknown]>;
  readonly #fold: Fold<T, unknown> | null;

  constructor(states: KeyedStates, fold: Fold<T, unknown> | null) {
    this.#held = states.map({ name: 'contents' });
    this.#folded = states.map({ name: 'folded' });
    this.#fold = fold;
  }

  add(id: string, record: T, timeMs: number): void {
    const fold = this.#fold;
    if (fold !== null) {
      const before = this.#folded.get(id);
      if (before !== undefined) this.#folded.put(id, before);
      const value = before === undefined ? fold.create(record) : fold.add(before[0], record);
      this.#folded.put(id, [value]);
      return;
    }
    const held = this.#held.get(id) ?? { records: [], times: [] };
    this.#held.put(id, held);
    held.records.push(record);
    held.times.push(timeMs);
  }

  /** The value that records were folded into; null when there are none. */
  folded(id: string): readonly [unknown] | null {
    return this.#folded.get(id) ?? null;
  }

  /** The records; empty when there are none, or when they are folded. */
  get(id: string): readonly WindowElement<T>[] {
    const held = this.#held.get(id);
    if (held === undefined) return [];
    return held.records.map((record, index) => ({ record, timeMs: held.times[index] }));
  }

  /** Replaces the records. */
  set(id: string, elements: readonly WindowElement<T>[]): void {
    if (elements.length === 0) return this.clear(id);
    this.#held.put(id, {
      records: elements.map(({ record }) => record),
      times: elements.map(({ timeMs }) => timeMs),
    });
  }

  /** Puts the content of windows into that of another one. */
  merge(into: string, from: readonly string[]): void {
    for (const id of from) {
      for (const { record, timeMs } of this.get(id)) this.add(into, record, timeMs);
      const [left, right] = [this.#folded.get(into), this.#folded.get(id)];
      if (this.#fold !== null && right !== undefined) {
        if (left !== undefined) this.#folded.put(into, left);
        const value = left === undefined ? right[0] : this.#fold.merge(left[0], right[0]);
        this.#folded.put(into, [value]);
      }
      this.clear(id);
    }
  }

  clear(id: string): void {
    if (this.#fold === null) this.#held.remove(id);
    else this.#folded.remove(id);
  }
}

/** What triggers remember, by window. */
export class TriggerMemory {
  readonly #values: MapState<string, Readonly<Record<string, unknown>>>;

  constructor(states: KeyedStates) {
    this.#values = states.map({ name: 'triggers' });
  }

  get(window: TimeWindow, name: string): unknown {
    return this.#values.get(windowId(window))?.[name];
  }

  set(window: TimeWindow, name: string, value: unknown): void {
    const id = windowId(window);
    const { [name]: _old, ...others } = this.#values.get(id) ?? {};
    const next = value === undefined ? others : { ...others, [name]: value };
    if (Object.keys(next).length === 0) this.#values.remove(id);
    else this.#values.put(id, next);
  }

  clear(window: TimeWindow): void {
    this.#values.remove(windowId(window));
  }
}

/** A session and the name under which its content is kept, which stays when it grows. */
export interface Session extends TimeWindow {
  readonly content: string;
}

/** What became of a window that was added to the sessions of a key. */
export interface AddedSession {
  readonly session: Session;
  /** The sessions that have become this one; empty when nothing changed but a session that already was as long. */
  readonly merged: readonly Session[];
}

/** The sessions of a key, in order of time; they do not touch. */
export class Sessions {
  readonly #list: ValueState<readonly Session[]>;

  constructor(states: KeyedStates) {
    this.#list = states.value({ name: 'sessions' });
  }

  /** Adds a window; sessions that it overlaps or touches become one with it. */
  add(window: TimeWindow): AddedSession {
    const all = this.#list.value() ?? [];
    const met = all.filter(({ start, end }) => start <= window.end && end >= window.start);
    const start = met.reduce((least, one) => Math.min(least, one.start), window.start);
    const end = met.reduce((most, one) => Math.max(most, one.end), window.end);
    const [first] = met;
    if (first !== undefined && met.length === 1 && first.start === start && first.end === end) {
      return { session: first, merged: [] };
    }
    const session = { start, end, content: first?.content ?? windowId(window) };
    const others = all.filter((one) => !met.includes(one));
    this.#list.update([...others, session].toSorted((a, b) => a.start - b.start));
    return { session, merged: met };
  }

  /** The session that is exactly this window. */
  find(window: TimeWindow): Session | undefined {
    return this.#list
      .value()
      ?.find(({ start, end }) => start === window.start && end === window.end);
  }

  /** Forgets a session. */
  remove(session: TimeWindow): void {
    const left = (this.#list.value() ?? []).filter(({ start }) => start !== session.start);
    if (left.length === 0) this.#list.clear();
    else this.#list.update(left);
  }
}
