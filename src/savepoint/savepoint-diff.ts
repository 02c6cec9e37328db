/**
 * Compares two checkpoints or savepoints: operators, positions of sources, and the state of each operator entry by
 * entry. Callers: users through `millrace/state`, `millrace state diff`. Runs on: any thread; a call blocks for its
 * reads. Invariant: both are read key group by key group, so that no more of a state is in memory than those that their
 * key groups have in common, also where their maximum parallelisms differ.
 */
import { isDeepStrictEqual } from 'node:util';
import { keyText } from './key-types.js';
import {
  isKeyed,
  type OperatorInfo,
  type SavepointReader,
  type StateInfo,
} from './savepoint-reader.js';
import { valueToJson } from './value-json.js';

/** An entry that is not the same in both. */
export interface ChangedEntry {
  readonly change: 'added' | 'removed' | 'changed';
  /** Absent for items of lists, which have none. */
  readonly key?: unknown;
  /** What tells entries of one key apart, as in `KeyedStateEntry`. */
  readonly more: readonly unknown[];
  /** What it was; undefined when it is new. */
  readonly before: unknown;
  /** What it is; undefined when it is gone. */
  readonly after: unknown;
}

/** How a state differs. */
export interface StateDiff {
  readonly uid: string;
  readonly state: string;
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
  readonly same: number;
  /** The first of those that differ. */
  readonly samples: readonly ChangedEntry[];
}

/** How two checkpoints differ. */
export interface SavepointDiff {
  /** Uids that only one of them has. */
  readonly addedOperators: readonly string[];
  readonly removedOperators: readonly string[];
  /** Operators of other parallelism or maximum parallelism, and sources at other positions. */
  readonly changedOperators: readonly {
    readonly uid: string;
    readonly before: Omit<OperatorInfo, 'states'>;
    readonly after: Omit<OperatorInfo, 'states'>;
  }[];
  /** Every state of the operators that both have, or one of them. */
  readonly states: readonly StateDiff[];
  /** Whether anything differs. */
  readonly isDifferent: boolean;
}

/** How a comparison is made. */
export interface DiffOptions {
  /** How many differing entries of each state are given. Default 5. */
  readonly samplesMax?: number;
}

const SAMPLES_MAX = 5;

/**
 * What is different in `after`.
 *
 * @example
 * const [before, after] = ['chk-7', 'chk-8'].map((name) => SavepointReader.read(`checkpoints/3f2a91/${name}`));
 * for (const { uid, state, changed, added } of diffSavepoints(before, after).states) {
 *   console.log(uid, state, changed, added);
 * }
 */
export function diffSavepoints(
  before: SavepointReader,
  after: SavepointReader,
  { samplesMax = SAMPLES_MAX }: DiffOptions = {},
): SavepointDiff {
  const [was, is] = [before, after].map(
    (reader) => new Map(reader.operators.map((operator) => [operator.uid, operator])),
  ) as [Map<string, OperatorInfo>, Map<string, OperatorInfo>];
  const addedOperators = [...is.keys()].filter((uid) => !was.has(uid));
  const removedOperators = [...was.keys()].filter((uid) => !is.has(uid));
  const changedOperators = [...was.values()].flatMap((old) => {
    const now = is.get(old.uid);
    if (now === undefined) return [];
    const [left, right] = [withoutStates(old), withoutStates(now)];
    return isDeepStrictEqual(left, right) ? [] : [{ uid: old.uid, before: left, after: right }];
  });
  const states = [...new Set([...was.keys(), ...is.keys()])].flatMap((uid) => {
    const [old, now] = [was.get(uid)?.states ?? [], is.get(uid)?.states ?? []];
    const names = new Set([...old, ...now].map(({ name }) => name));
    return [...names].map((name) =>
      new StateComparison(uid, name, samplesMax).compare(
        sideOf(before, was.get(uid), old, name),
        sideOf(after, is.get(uid), now, name),
      ),
    );
  });
  const isDifferent =
    addedOperators.length + removedOperators.length + changedOperators.length > 0 ||
    states.some(({ added, removed, changed }) => added + removed + changed > 0);
  return { addedOperators, removedOperators, changedOperators, states, isDifferent };
}

/** Splits are in an order that means nothing. */
function withoutStates({
  states: _states,
  source,
  ...operator
}: OperatorInfo): Omit<OperatorInfo, 'states'> {
  if (source === null) return { ...operator, source };
  const inHand = source.inHand.toSorted((a, b) => (a.split < b.split ? -1 : 1));
  return { ...operator, source: { inHand, finished: source.finished.toSorted() } };
}

/** A state in one of the two; null where there is none. */
interface Side {
  readonly reader: SavepointReader;
  readonly info: StateInfo;
  readonly maxParallelism: number;
}

function sideOf(
  reader: SavepointReader,
  operator: OperatorInfo | undefined,
  states: readonly StateInfo[],
  name: string,
): Side | null {
  const info = states.find((state) => state.name === name);
  if (info === undefined || operator === undefined) return null;
  return { reader, info, maxParallelism: operator.maxParallelism };
}

function isOfKeys({ info }: Side): boolean {
  return isKeyed(info.kind);
}

interface ComparedEntry {
  readonly key?: unknown;
  readonly more: readonly unknown[];
  readonly value: unknown;
}

/** Compares one state. */
class StateComparison {
  readonly #uid: string;
  readonly #state: string;
  readonly #samplesMax: number;
  readonly #counts = { added: 0, removed: 0, changed: 0, same: 0 };
  readonly #samples: ChangedEntry[] = [];

  constructor(uid: string, state: string, samplesMax: number) {
    this.#uid = uid;
    this.#state = state;
    this.#samplesMax = samplesMax;
  }

  compare(before: Side | null, after: Side | null): StateDiff {
    const sides = [before, after].filter((side) => side !== null);
    if (before !== null && after !== null && isOfKeys(before) !== isOfKeys(after)) {
      // The name stands for something else now.
      this.compare(before, null);
      return this.compare(null, after);
    }
    if (sides.every(isOfKeys)) this.#compareGroups(before, after, sides);
    else this.#compareEntries(this.#keyless(before), this.#keyless(after));
    return { uid: this.#uid, state: this.#state, ...this.#counts, samples: this.#samples };
  }

  /** A key is in groups of both that leave the same rest when divided by what divides both maximum parallelisms. */
  #compareGroups(before: Side | null, after: Side | null, sides: readonly Side[]): void {
    const common = sides.map(({ maxParallelism }) => maxParallelism).reduce(gcd);
    for (let rest = 0; rest < common; rest++) {
      this.#compareEntries(this.#keyed(before, rest, common), this.#keyed(after, rest, common));
    }
  }

  #keyed(side: Side | null, rest: number, common: number): ReadonlyMap<string, ComparedEntry> {
    const entries = new Map<string, ComparedEntry>();
    if (side === null) return entries;
    const count = side.maxParallelism / common;
    const keyGroups = Array.from({ length: count }, (_, at) => rest + at * common);
    for (const entry of side.reader.readKeyedState(this.#uid, this.#state, { keyGroups })) {
      const parts = Array.isArray(entry.key) ? entry.key : [entry.key];
      entries.set(keyText([...parts, ...entry.more]), entry);
    }
    return entries;
  }

  /** Items of a list are the same when as many of them are in both; broadcast maps have keys. */
  #keyless(side: Side | null): ReadonlyMap<string, ComparedEntry> {
    const entries = new Map<string, ComparedEntry>();
    if (side === null) return entries;
    const { reader, info } = side;
    if (info.kind === 'broadcast') {
      for (const [key, value] of reader.readBroadcastState(this.#uid, this.#state)) {
        entries.set(JSON.stringify(valueToJson(key)), { key, more: [], value });
      }
      return entries;
    }
    const seen = new Map<string, number>();
    for (const value of reader.readListState(this.#uid, this.#state)) {
      const text = JSON.stringify(valueToJson(value));
      const times = seen.get(text) ?? 0;
      seen.set(text, times + 1);
      entries.set(`${times}/${text}`, { more: [], value });
    }
    return entries;
  }

  #compareEntries(
    before: ReadonlyMap<string, ComparedEntry>,
    after: ReadonlyMap<string, ComparedEntry>,
  ): void {
    for (const [text, entry] of before) {
      const now = after.get(text);
      if (now === undefined) this.#note('removed', entry, entry.value, undefined);
      else if (isDeepStrictEqual(entry.value, now.value)) this.#counts.same++;
      else this.#note('changed', entry, entry.value, now.value);
    }
    for (const [text, entry] of after) {
      if (!before.has(text)) this.#note('added', entry, undefined, entry.value);
    }
  }

  #note(
    change: ChangedEntry['change'],
    { key, more }: ComparedEntry,
    before: unknown,
    after: unknown,
  ): void {
    this.#counts[change]++;
    if (this.#samples.length >= this.#samplesMax) return;
    this.#samples.push({ change, ...(key === undefined ? {} : { key }), more, before, after });
  }
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
