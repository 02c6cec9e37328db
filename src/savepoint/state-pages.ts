/**
 * What a checkpoint holds, for somebody who looks into it page by page: its operators and their states, and the entries
 * of a state with what is secret in them hidden. Callers: the thread of a server that looks into state. Runs on: that
 * thread; a call blocks for its reads. Invariants: a page is bounded in entries, bytes and time, and says where the
 * next one begins; what is cut says so.
 */
import { join } from 'node:path';
import type { Clock } from '../base/clock.js';
import type { Disk } from '../base/disk.js';
import { MillraceError } from '../base/errors.js';
import { HIDDEN, isSecret } from '../base/secrets.js';
import { METADATA } from '../checkpoint/checkpoint-paths.js';
import { type AnyEntry, entriesOf, type EntryJson, entryToJson, keyOfText } from './entry-json.js';
import { HeldFiles } from './held-files.js';
import { keyText } from './key-types.js';
import { isKeyed, SavepointReader } from './savepoint-reader.js';
import type { StateKind } from './state-catalog.js';

/** For so long entries are counted, or looked through for those that are asked for. */
const LOOK_MS = 2000;
/** What reading fails with where files are damaged or missing. */
const DAMAGED: ReadonlySet<string> = new Set(['CHECKPOINT_CORRUPT', 'FILE_NOT_FOUND']);
/** Checkpoints that stay open. */
const OPEN_MAX = 4;
/** Entries between two looks at the clock. */
const ENTRIES_AT_ONCE = 256;
/** Of keys and values as JSON, after which a page ends. */
const PAGE_BYTES = 2 * 1024 * 1024;

/** Which checkpoint was looked into. */
export interface CheckpointShown {
  readonly id: number;
  readonly kind: 'checkpoint' | 'savepoint';
  readonly path: string;
  readonly timestampMs: number;
}

/** A state of an operator. */
export interface StateShown {
  readonly name: string;
  readonly kind: StateKind;
  readonly keyTypes: readonly string[];
  readonly valueType: string | null;
  readonly bytes: number;
  /** Null when there was no time left to count them. */
  readonly entries: number | null;
  /** In how many key groups there is something of it. */
  readonly keyGroups: number;
  /** The key group with most of its bytes; null for a state without keys. */
  readonly largest: { readonly keyGroup: number; readonly bytes: number } | null;
}

/** The operators of a checkpoint. */
export interface StateList {
  readonly checkpoint: CheckpointShown;
  readonly operators: readonly {
    readonly uid: string;
    readonly name: string;
    readonly parallelism: number;
    readonly maxParallelism: number;
    readonly states: readonly StateShown[];
  }[];
}

/** Which entries are asked for. */
export interface StatePageQuery {
  readonly operator: string;
  readonly state: string;
  /** Only those of this key, as scans print it. */
  readonly key?: string | undefined;
  /** Only those whose key begins so. */
  readonly prefix?: string | undefined;
  /** Where the page before has said that the next one begins. */
  readonly after?: string | undefined;
  readonly limit: number;
  /** Of a key or a value as JSON; what is longer is cut. */
  readonly bytes: number;
}

/** Entries of a state. */
export interface StatePage {
  readonly checkpoint: CheckpointShown;
  readonly operator: string;
  readonly state: string;
  readonly kind: StateKind;
  readonly entries: readonly (EntryJson & { readonly bytes: number })[];
  /** Entries that were looked at. */
  readonly looked: number;
  /** Where the next page begins; null when everything was looked at. */
  readonly next: string | null;
}

/** Where an entry is: the how manyth of its key group. */
interface Place {
  readonly group: number;
  readonly at: number;
}

/** Its key as JSON data is made when it is looked at, and its value when it is shown. */
type Found = Place & { readonly entry: AnyEntry };

/** A scan whose next page may be asked for. */
interface Scan {
  /** Of what it is a scan, and where its next page begins. */
  readonly of: string;
  readonly rest: Iterator<Found>;
  /** Where that begins. */
  readonly first: Found;
}

/** A checkpoint that stays open. */
interface Opened {
  readonly reader: SavepointReader;
  readonly held: HeldFiles;
}

/** Looks into checkpoints, of which the last few stay open. */
export class StatePages {
  readonly #disk: Disk;
  readonly #clock: Clock;
  /** By path; the one that was looked into longest ago comes first. */
  readonly #opened = new Map<string, Opened>();
  #scan: Scan | null = null;

  constructor(disk: Disk, clock: Clock) {
    this.#disk = disk;
    this.#clock = clock;
  }

  /** What there is. Throws CHECKPOINT_NOT_FOUND, CHECKPOINT_CORRUPT, CHECKPOINT_VERSION_UNSUPPORTED. */
  list(path: string): StateList {
    return this.#reading(path, (reader) => {
      const endMs = this.#clock.monotonicMs() + LOOK_MS;
      const operators = reader.operators.map(
        ({ uid, name, parallelism, maxParallelism, states }) => {
          const shown = states.map((info) => {
            const { operator, state } = reader.find(uid, info.name);
            const groups = reader.groupBytes(operator, state);
            const entries = this.#counted(reader, uid, info.name, endMs);
            const largest = isKeyed(info.kind) ? largestOf(groups) : null;
            return { ...info, entries, keyGroups: largest === null ? 0 : groups.size, largest };
          });
          return { uid, name, parallelism, maxParallelism, states: shown };
        },
      );
      return { checkpoint: shownOf(reader), operators };
    });
  }

  /** Entries of a state. Throws what `list` throws, STATE_NOT_FOUND and KEY_UNSUPPORTED. */
  page(path: string, query: StatePageQuery): StatePage {
    return this.#reading(path, (reader) => {
      const { operator, state, key, prefix, after, limit, bytes } = query;
      const { operator: own, state: asked } = reader.find(operator, state);
      const { kind } = asked;
      const types = reader.keyTypes(own, asked);
      const keyOf = (raw: AnyEntry): unknown => entryToJson({ ...raw, value: null }, types).key;
      const of = JSON.stringify([path, operator, state, key, prefix, after]);
      const known = this.#scan?.of === of ? this.#scan : null;
      this.#scan = null;
      const rest = known?.rest ?? scanOf(reader, query);
      let found = known?.first ?? taken(rest);
      const endMs = this.#clock.monotonicMs() + LOOK_MS;
      const entries: StatePage['entries'][number][] = [];
      let [looked, size] = [0, 0];
      while (found !== null) {
        looked++;
        const { entry: raw } = found;
        if (prefix === undefined || textOf(keyOf(raw)).startsWith(prefix)) {
          const entry = shownEntry(entryToJson(raw, types), state, bytes);
          entries.push(entry);
          size += JSON.stringify(entry).length;
        }
        found = taken(rest);
        if (entries.length >= limit || size >= PAGE_BYTES) break;
        if (looked % ENTRIES_AT_ONCE === 0 && this.#clock.monotonicMs() > endMs) break;
      }
      const next = found === null ? null : `${found.group}.${found.at}`;
      if (found !== null) {
        this.#scan = {
          of: JSON.stringify([path, operator, state, key, prefix, next]),
          rest,
          first: found,
        };
      }
      return { checkpoint: shownOf(reader), operator, state, kind, entries, looked, next };
    });
  }

  /** Closes what is open. */
  close(): void {
    for (const path of [...this.#opened.keys()]) this.#close(path);
  }

  #reading<T>(path: string, read: (reader: SavepointReader) => T): T {
    try {
      return read(this.#open(path).reader);
    } catch (error) {
      if (!MillraceError.is(error) || !DAMAGED.has(error.code)) throw error;
      this.#close(path);
      throw this.#disk.stat(join(path, METADATA)) === null ? goneMeanwhile(path, error) : error;
    }
  }

  #open(path: string): Opened {
    const opened = this.#opened.get(path) ?? openHeld(path, this.#disk);
    this.#opened.delete(path);
    this.#opened.set(path, opened);
    const [oldest] = this.#opened.keys();
    if (this.#opened.size > OPEN_MAX && oldest !== undefined) this.#close(oldest);
    return opened;
  }

  #close(path: string): void {
    const opened = this.#opened.get(path);
    this.#opened.delete(path);
    this.#scan = null;
    opened?.reader.close();
    opened?.held.close();
  }

  /** Null when time is over before all are counted. */
  #counted(reader: SavepointReader, uid: string, state: string, endMs: number): number | null {
    let count = 0;
    if (this.#clock.monotonicMs() > endMs) return null;
    for (const own of reader.countGroups(uid, state)) {
      count += own;
      if (this.#clock.monotonicMs() > endMs) return null;
    }
    return count;
  }
}

function openHeld(path: string, disk: Disk): Opened {
  const held = new HeldFiles(disk);
  const reader = SavepointReader.read(path, held.disk);
  try {
    held.hold(reader.path, reader.manifest);
    return { reader, held };
  } catch (error) {
    held.close();
    reader.close();
    throw error;
  }
}

function taken(rest: Iterator<Found>): Found | null {
  const { done, value } = rest.next();
  return done === true ? null : value;
}

/** Every entry from a place on; with a key, of its key group those of the key. */
function* scanOf(
  reader: SavepointReader,
  { operator: uid, state: name, key, after }: StatePageQuery,
): Generator<Found, undefined> {
  const { operator, state } = reader.find(uid, name);
  const types = reader.keyTypes(operator, state);
  if (key !== undefined && !isKeyed(state.kind)) throw withoutKeys(uid, name);
  const [fromGroup = 0, fromAt = 0] = after?.split('.').map(Number) ?? [];
  const wanted =
    key === undefined ? null : reader.placeOf(operator, state, keyOfText(reader, uid, name, key));
  const groups = !isKeyed(state.kind)
    ? [0]
    : wanted === null
      ? reader.keyGroups(operator, state)
      : [wanted.keyGroup];
  const text = wanted === null ? null : keyText(wanted.key);
  for (const group of groups.filter((one) => one >= fromGroup)) {
    let at = 0;
    for (const entry of entriesOf(reader, uid, name, { keyGroups: [group] })) {
      const place = { group, at: at++ };
      if (group === fromGroup && place.at < fromAt) continue;
      const parts = types.length === 1 ? [entry.key] : (entry.key as readonly unknown[]);
      if (text !== null && keyText(parts) !== text) continue;
      yield { ...place, entry };
    }
  }
  return undefined;
}

/** As a text is looked for in keys. */
function textOf(key: unknown): string {
  return typeof key === 'string' ? key : (JSON.stringify(key) ?? '');
}

function shownEntry(
  { key, more, value, ...place }: EntryJson,
  state: string,
  bytesMax: number,
): StatePage['entries'][number] {
  const shown = isSecret(state) ? HIDDEN : withoutSecretsIn(value);
  return {
    ...place,
    ...(key === undefined ? {} : { key: cut(key, bytesMax).json }),
    ...(more === undefined ? {} : { more: more.map((part) => cut(part, bytesMax).json) }),
    bytes: cut(value, bytesMax).bytes,
    value: cut(shown, bytesMax).json,
  };
}

/** The data, or the first of its text with a mark that no value has. */
function cut(json: unknown, bytesMax: number): { readonly json: unknown; readonly bytes: number } {
  const text = Buffer.from(JSON.stringify(json) ?? '');
  const bytes = text.length;
  if (bytes <= bytesMax) return { json, bytes };
  // Of a character of which not all bytes are there nothing is shown.
  const begin = new TextDecoder().decode(text.subarray(0, bytesMax), { stream: true });
  return { json: { $cut: { text: begin, bytes } }, bytes };
}

/** What members and keys of maps hide whose names say so; of bytes that hold a whole value nobody can tell. */
function withoutSecretsIn(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(withoutSecretsIn);
  if (typeof json !== 'object' || json === null) return json;
  const [member, ...others] = Object.entries(json) as [string, never][];
  if (member !== undefined && others.length === 0) {
    const [tag, content] = member;
    if (tag === '$v8') return { $v8: HIDDEN };
    if (tag === '$map') return { $map: (content as readonly [unknown, unknown][]).map(shownPair) };
    if (tag === '$object') return { $object: shownMembers(content) };
  }
  return shownMembers(json);
}

function shownMembers(members: object): object {
  const shown = Object.entries(members).map(([name, part]) => [
    name,
    isSecret(name) ? HIDDEN : withoutSecretsIn(part),
  ]);
  return Object.fromEntries(shown);
}

function shownPair([key, value]: readonly [unknown, unknown]): readonly [unknown, unknown] {
  return [key, typeof key === 'string' && isSecret(key) ? HIDDEN : withoutSecretsIn(value)];
}

function largestOf(groups: ReadonlyMap<number, number>): StateShown['largest'] {
  const [first] = [...groups].toSorted(([, a], [, b]) => b - a);
  return first === undefined ? null : { keyGroup: first[0], bytes: first[1] };
}

function shownOf({ id, kind, path, timestampMs }: SavepointReader): CheckpointShown {
  return { id, kind, path, timestampMs };
}

function goneMeanwhile(path: string, cause: unknown): MillraceError {
  return new MillraceError(
    'CHECKPOINT_NOT_FOUND',
    `The checkpoint ${path} was deleted while it was read.`,
    {
      cause,
      advice: 'The job has newer ones; look into one of these, or take a savepoint, which stays.',
    },
  );
}

function withoutKeys(uid: string, state: string): MillraceError {
  return new MillraceError('KEY_UNSUPPORTED', `The state ${JSON.stringify(state)} has no keys.`, {
    where: { uid },
    advice: 'Go through all of its entries.',
  });
}
