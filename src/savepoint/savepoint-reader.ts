/**
 * Reads what a checkpoint or savepoint holds, without a job: operators, their states, entries of keys, lists and maps
 * of subtasks. Callers: users through `millrace/state`, the commands of `millrace state`, plans of restores. Runs on:
 * any thread; a call blocks for its reads. Invariant: what is read is what a job has that is restored from it; never
 * more than the state of one key group is in memory at a time.
 */
import { join } from 'node:path';
import type { Disk } from '../base/disk.js';
import { MillraceError } from '../base/errors.js';
import { didYouMean } from '../base/nearest-name.js';
import { nodeDisk } from '../base/node-disk.js';
import { checkpointIdOf, checkpointName, METADATA } from '../checkpoint/checkpoint-paths.js';
import type { CheckpointManifest, OperatorRecord, StatePiece } from '../checkpoint/contract.js';
import { type OpenedCheckpoint, openCheckpoint } from '../checkpoint/open-checkpoint.js';
import { keyGroupOf } from '../record/key-group.js';
import type { DataType } from '../record/schema.js';
import { typeName } from '../record/schema.js';
import type { KeyTuple, TableColumn } from '../state/contract.js';
import { EntryPiece } from '../state/entry-piece.js';
import { readItems } from '../state/operator-state.js';
import { writtenType } from '../state/state-evolution.js';
import { tableKeyHash } from '../state/table-key.js';
import { keyFromJson, keyText } from './key-types.js';
import {
  catalogue,
  type CataloguedOperator,
  type CataloguedState,
  type StateKind,
  type WrittenPiece,
} from './state-catalog.js';
import { viewState } from './state-views.js';
import { countGroup, layoutOfPiece, readGroup, type RowLayout } from './table-rows.js';

/** The part of a state that holds its values. */
const VALUE_PARTS: Readonly<Partial<Record<StateKind, string>>> = {
  value: 'value',
  list: 'elements',
  map: 'entries',
};

/** A state of an operator. */
export interface StateInfo {
  readonly name: string;
  /**
   * `value` (also reducing and aggregating state), `list`, `map`, `timers`, `table` for what a built-in operator keeps;
   * without keys `operatorList`, `unionList`, `broadcast`.
   */
  readonly kind: StateKind;
  /** Types of the parts of a key, as in `utf8`; empty without keys. */
  readonly keyTypes: readonly string[];
  /** Type of the values, elements or map values, as the job declared it; null where it declared none. */
  readonly valueType: string | null;
  /** Bytes in the checkpoint, changes of incremental ones included. */
  readonly bytes: number;
}

/** What a checkpoint knows of an operator, source or sink. */
export interface OperatorInfo {
  readonly uid: string;
  readonly name: string;
  readonly parallelism: number;
  /** Number of key groups of keyed state. */
  readonly maxParallelism: number;
  readonly isFinished: boolean;
  readonly states: readonly StateInfo[];
  /** How far a source is; null for others. */
  readonly source: SourceInfo | null;
  /** How much output of a sink is still to be made visible; null for others. */
  readonly sink: { readonly pending: number } | null;
}

/** How far the splits of a source are. */
export interface SourceInfo {
  readonly inHand: readonly { readonly split: string; readonly position: unknown }[];
  readonly finished: readonly string[];
}

/** What a key has of a state. */
export interface KeyedStateEntry {
  readonly keyGroup: number;
  /** The key; of several parts an array of them. */
  readonly key: unknown;
  /**
   * What tells entries of one key apart in a `table`, such as the start of a window in ms since the epoch; empty for
   * other kinds.
   */
  readonly more: readonly unknown[];
  /** The value, the array of a list, the Map of a map, the timers; of a `table` an object with its columns. */
  readonly value: unknown;
}

/** Which entries are read. */
export interface ReadKeyedStateOptions {
  /** The key groups, from 0 to one less than the maximum parallelism. All by default. */
  readonly keyGroups?: Iterable<number>;
}

/**
 * A checkpoint or savepoint that is open for reading.
 *
 * @example
 * const savepoint = SavepointReader.read('savepoints/savepoint-3f2a91-0b1c2d3e4f5a');
 * for (const { uid, states } of savepoint.operators) console.log(uid, states);
 * for (const { key, value } of savepoint.readKeyedState('totals', 'sum')) console.log(key, value);
 * savepoint.close();
 */
export class SavepointReader {
  /** Its directory, absolute. */
  readonly path: string;
  readonly #opened: OpenedCheckpoint;
  readonly #catalogue: ReadonlyMap<string, CataloguedOperator>;
  /** Pieces of tables by key group, and what their rows are, of those that were asked for. */
  readonly #groups = new Map<
    readonly WrittenPiece[],
    ReadonlyMap<number, readonly WrittenPiece[]>
  >();
  readonly #layouts = new Map<readonly WrittenPiece[], RowLayout>();

  private constructor(opened: OpenedCheckpoint) {
    this.path = opened.path;
    this.#opened = opened;
    this.#catalogue = catalogue(opened.manifest, (piece) => opened.reader.read(piece));
  }

  /**
   * Opens the directory of a checkpoint or savepoint, the `_metadata` in it, or the newest checkpoint in the directory
   * of a job. Throws CHECKPOINT_NOT_FOUND, CHECKPOINT_CORRUPT and CHECKPOINT_VERSION_UNSUPPORTED.
   */
  static read(path: string, disk: Disk = nodeDisk): SavepointReader {
    return new SavepointReader(openCheckpoint(disk, newestIn(disk, path)));
  }

  /** Number of the checkpoint. */
  get id(): number {
    return this.manifest.id;
  }

  get kind(): 'checkpoint' | 'savepoint' {
    return this.manifest.kind;
  }

  /** When it was taken, in ms since the epoch. */
  get timestampMs(): number {
    return this.manifest.timestampMs;
  }

  get jobName(): string {
    return this.manifest.jobName;
  }

  /** @internal */
  get manifest(): CheckpointManifest {
    return this.#opened.manifest;
  }

  /** Every operator, source and sink, with its states. */
  get operators(): readonly OperatorInfo[] {
    return this.manifest.operators.map((record) => this.#info(record));
  }

  #info(record: OperatorRecord): OperatorInfo {
    const { uid } = record;
    const source = this.manifest.sources.find((one) => one.uid === uid);
    const sink = this.manifest.sinks.find((one) => one.uid === uid);
    const found = this.#catalogue.get(uid);
    return {
      ...record,
      states:
        found === undefined
          ? []
          : [...found.states.values()].map((state) => this.#stateInfo(found, state)),
      source:
        source === undefined
          ? null
          : {
              inHand: source.progress.flatMap(({ inHand }) => inHand),
              finished: source.progress.flatMap(({ finished }) => finished),
            },
      sink: sink === undefined ? null : { pending: sink.committables.length },
    };
  }

  #stateInfo(operator: CataloguedOperator, state: CataloguedState): StateInfo {
    const { name, kind } = state;
    let bytes = 0;
    for (const own of this.groupBytes(operator, state).values()) bytes += own;
    const column = this.valueColumn(operator, state);
    const type = column === null ? null : writtenType(column);
    return {
      name,
      kind,
      keyTypes: this.keyTypes(operator, state).map(typeName),
      valueType: type === null ? null : typeName(type),
      bytes,
    };
  }

  /**
   * The entries of a keyed state, key group by key group. Throws STATE_NOT_FOUND with the nearest name, and
   * CHECKPOINT_CORRUPT for bytes that are damaged.
   */
  *readKeyedState(
    uid: string,
    state: string,
    options: ReadKeyedStateOptions = {},
  ): Generator<KeyedStateEntry, void> {
    const { operator, state: found } = this.find(uid, state);
    if (!isKeyed(found.kind)) throw notKeyed(found, uid);
    const wanted = options.keyGroups ?? this.keyGroups(operator, found);
    for (const keyGroup of wanted) {
      for (const { key, more, value } of this.#viewGroup(operator, found, keyGroup)) {
        yield { keyGroup, key: key.length === 1 ? key[0] : key, more, value };
      }
    }
  }

  /** How many entries there are of a state: of keys, or items of a list, or entries of a broadcast map. */
  count(uid: string, state: string): number {
    let count = 0;
    for (const own of this.countGroups(uid, state)) count += own;
    return count;
  }

  /** The same key group by key group, for callers with little time. @internal */
  *countGroups(uid: string, state: string): Generator<number, void> {
    const { operator, state: found } = this.find(uid, state);
    if (found.kind === 'broadcast') return yield this.readBroadcastState(uid, state).size;
    if (!isKeyed(found.kind)) return yield this.readListState(uid, state).length;
    const { tables } = found;
    // Where a table has one row for each entry, nobody needs to look at the rows.
    const single = tables['value'] ?? tables['table'] ?? tables['size'];
    for (const keyGroup of this.keyGroups(operator, found)) {
      yield single === undefined
        ? Array.from(this.#viewGroup(operator, found, keyGroup)).length
        : countGroup(this.bytesOf(operator.pieces.get(single) ?? [], keyGroup));
    }
  }

  /**
   * What a key has of a keyed state; undefined when it has nothing. The key is given as scans print it: dates and
   * bigints may be texts, and keys of several parts are arrays. Of a `table` with several entries of a key it is an
   * array of them. Throws STATE_NOT_FOUND, and KEY_UNSUPPORTED for a key of another type.
   */
  get(uid: string, state: string, key: unknown): unknown {
    const { operator, state: found } = this.find(uid, state);
    if (!isKeyed(found.kind)) throw notKeyed(found, uid);
    const { keyGroup, key: tuple } = this.placeOf(operator, found, key);
    const wanted = keyText(tuple);
    const entries = [...this.#viewGroup(operator, found, keyGroup)].filter(
      (entry) => keyText(entry.key) === wanted,
    );
    const [only] = entries;
    if (entries.length === 1 && only?.more.length === 0) return only.value;
    return only === undefined ? undefined : entries.map(({ more, value }) => ({ more, value }));
  }

  /** The items of an operator's list state, those of all subtasks; of union lists of which each was given all, too. */
  readListState(uid: string, state: string): readonly unknown[] {
    const { operator, state: found } = this.find(uid, state);
    if (found.kind !== 'operatorList' && found.kind !== 'unionList')
      throw notKind(found, uid, 'list');
    return this.#items(operator, found).flat();
  }

  /** The entries of an operator's broadcast state, of which every subtask has the same. */
  readBroadcastState(uid: string, state: string): ReadonlyMap<unknown, unknown> {
    const { operator, state: found } = this.find(uid, state);
    if (found.kind !== 'broadcast') throw notKind(found, uid, 'broadcast');
    const [first = []] = this.#items(operator, found);
    return new Map(first as readonly (readonly [unknown, unknown])[]);
  }

  #items(operator: CataloguedOperator, { tables }: CataloguedState): (readonly unknown[])[] {
    const pieces = operator.pieces.get(tables['items'] ?? '') ?? [];
    return pieces.map((piece) => readItems(this.#opened.reader.read(piece)));
  }

  #viewGroup(
    operator: CataloguedOperator,
    state: CataloguedState,
    keyGroup: number,
  ): ReturnType<typeof viewState> {
    const group = Object.entries(state.tables).map(([part, table]) => [
      part,
      readGroup(this.bytesOf(operator.pieces.get(table) ?? [], keyGroup)),
    ]);
    return viewState(state, Object.fromEntries(group), operator);
  }

  /** The pieces of a key group, read and checked. @internal */
  *bytesOf(pieces: readonly WrittenPiece[], keyGroup: number): Generator<Uint8Array> {
    for (const piece of this.#groupsOf(pieces).get(keyGroup) ?? []) {
      yield this.#opened.reader.read(piece);
    }
  }

  #groupsOf(pieces: readonly WrittenPiece[]): ReadonlyMap<number, readonly WrittenPiece[]> {
    const known = this.#groups.get(pieces);
    if (known !== undefined) return known;
    const groups = new Map<number, WrittenPiece[]>();
    for (const piece of pieces) {
      const own = groups.get(piece.keyGroup);
      if (own === undefined) groups.set(piece.keyGroup, [piece]);
      else own.push(piece);
    }
    this.#groups.set(pieces, groups);
    return groups;
  }

  /** The bytes of a piece, checked. @internal */
  bytesOfPiece(piece: StatePiece): Uint8Array {
    return this.#opened.reader.read(piece);
  }

  /** The key groups in which there is something of a state, in order. @internal */
  keyGroups(operator: CataloguedOperator, state: CataloguedState): readonly number[] {
    return [...this.groupBytes(operator, state).keys()].toSorted((a, b) => a - b);
  }

  /** Bytes of a state by key group, those of states without keys under `NO_KEY_GROUP`. @internal */
  groupBytes(
    operator: CataloguedOperator,
    { tables }: CataloguedState,
  ): ReadonlyMap<number, number> {
    const groups = new Map<number, number>();
    for (const table of Object.values(tables)) {
      for (const { keyGroup, at } of operator.pieces.get(table) ?? []) {
        const bytes = 'bytes' in at ? at.bytes.length : at.length;
        groups.set(keyGroup, (groups.get(keyGroup) ?? 0) + bytes);
      }
    }
    return groups;
  }

  /** Operators of which there is state, also those that the checkpoint does not list. @internal */
  statefulUids(): readonly string[] {
    return [...this.#catalogue.keys()];
  }

  /** Everything that there is of an operator. @internal */
  operator(uid: string): CataloguedOperator | null {
    return this.#catalogue.get(uid) ?? null;
  }

  /** @internal */
  find(uid: string, state: string): { operator: CataloguedOperator; state: CataloguedState } {
    const known = this.manifest.operators.map((record) => record.uid);
    if (!known.includes(uid)) {
      throw new MillraceError('STATE_NOT_FOUND', `The checkpoint has no operator ${quoted(uid)}.`, {
        where: { file: this.path, uid },
        advice: didYouMean(uid, known),
      });
    }
    const operator = this.#catalogue.get(uid);
    const found = operator?.states.get(state);
    if (operator !== undefined && found !== undefined) return { operator, state: found };
    throw new MillraceError('STATE_NOT_FOUND', `${quoted(uid)} has no state ${quoted(state)}.`, {
      where: { file: this.path, uid },
      advice: didYouMean(state, operator?.states.keys() ?? []),
    });
  }

  /** The types of the parts of an operator's keys. @internal */
  keyTypes(operator: CataloguedOperator, state: CataloguedState): readonly DataType[] {
    if (!isKeyed(state.kind)) return [];
    const layouts = Object.keys(state.tables).map((part) => this.layoutOf(operator, state, part));
    const types = layouts.find((layout) => layout !== null)?.keys ?? [];
    const more = state.kind === 'map' || state.kind === 'list' ? 1 : 0;
    return types.slice(0, operator.keys ?? types.length - more);
  }

  /** The column with the values of a state that a function declared; null of others. @internal */
  valueColumn(operator: CataloguedOperator, state: CataloguedState): TableColumn | null {
    const part = VALUE_PARTS[state.kind];
    if (part === undefined) return null;
    return this.layoutOf(operator, state, part)?.columns[0] ?? null;
  }

  /** What the rows of a table of a state are, by its first piece; null when there is none. @internal */
  layoutOf(
    { pieces }: CataloguedOperator,
    { tables }: CataloguedState,
    part: string,
  ): RowLayout | null {
    const all = pieces.get(tables[part] ?? '') ?? [];
    const [piece] = all;
    if (piece === undefined) return null;
    const layout =
      this.#layouts.get(all) ?? layoutOfPiece(new EntryPiece(this.bytesOfPiece(piece)));
    this.#layouts.set(all, layout);
    return layout;
  }

  /** A key that was given, and the key group that it is in. @internal */
  placeOf(
    operator: CataloguedOperator,
    state: CataloguedState,
    given: unknown,
  ): { readonly key: KeyTuple; readonly keyGroup: number } {
    const types = this.keyTypes(operator, state);
    const parts: readonly unknown[] = types.length === 1 ? [given] : arrayOf(given);
    if (parts.length !== types.length) {
      throw new MillraceError(
        'KEY_UNSUPPORTED',
        `Keys of ${quoted(operator.uid)} have ${types.length} parts: ` +
          `${types.map(typeName).join(', ')}.`,
        { where: { uid: operator.uid }, advice: 'Give them as an array, as in ["a", 1].' },
      );
    }
    const key = types.map((type, at) => keyFromJson(type, parts[at]));
    const record = this.manifest.operators.find(({ uid }) => uid === operator.uid);
    return { key, keyGroup: keyGroupOf(tableKeyHash(types, key), record?.maxParallelism ?? 1) };
  }

  /** Closes its files. */
  close(): void {
    this.#opened.reader.close();
  }
}

/** The newest complete checkpoint in the directory of a job; of any other path that path. */
function newestIn(disk: Disk, path: string): string {
  if (disk.stat(path)?.isDirectory !== true || disk.stat(join(path, METADATA)) !== null)
    return path;
  const ids = disk.list(path).flatMap((name) => {
    const id = checkpointIdOf(name);
    return id === null || disk.stat(join(path, name, METADATA)) === null ? [] : [id];
  });
  return ids.length === 0 ? path : join(path, checkpointName(Math.max(...ids)));
}

/** Whether a state belongs to keys. */
export function isKeyed(kind: StateKind): boolean {
  return kind !== 'operatorList' && kind !== 'unionList' && kind !== 'broadcast';
}

function arrayOf(given: unknown): readonly unknown[] {
  return Array.isArray(given) ? given : [given];
}

function quoted(name: string): string {
  return JSON.stringify(name);
}

function notKeyed(state: CataloguedState, uid: string): MillraceError {
  return notKind(state, uid, 'keyed');
}

function notKind({ name, kind }: CataloguedState, uid: string, wanted: string): MillraceError {
  return new MillraceError(
    'OPTION_INVALID',
    `State ${quoted(name)} of ${quoted(uid)} is ${kind}, not ${wanted} state.`,
    {
      where: { uid },
      advice: isKeyed(kind)
        ? 'Read it with readKeyedState() or get().'
        : 'Read it with readListState() or readBroadcastState(); it belongs to no key.',
    },
  );
}
