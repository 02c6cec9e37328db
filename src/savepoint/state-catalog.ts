/**
 * The states of an operator as users know them: which tables of a checkpoint hold which value, list, map, timers.
 * Callers: this folder. Runs on: any thread; pure. Invariant: every piece of state is of exactly one state, but for the
 * headers by which operators describe themselves.
 */
import { deserialize } from 'node:v8';
import { inFlightPlace } from '../checkpoint/in-flight-pieces.js';
import type { CheckpointManifest, StatePiece } from '../checkpoint/contract.js';
import { NO_KEY_GROUP } from '../checkpoint/contract.js';
import type { Schema } from '../record/schema.js';
import { operatorStateKind } from '../state/operator-state.js';

/**
 * What a state is. `value` is that of value, reducing and aggregating state alike; `table` is what a built-in operator
 * keeps, such as the accumulators of an aggregation; the last three belong to no key.
 */
export type StateKind =
  | 'value'
  | 'list'
  | 'map'
  | 'timers'
  | 'table'
  | 'operatorList'
  | 'unionList'
  | 'broadcast';

/** A piece with who wrote it. */
export type WrittenPiece = CheckpointManifest['pieces'][number];

/** Where a state is. */
export interface CataloguedState {
  readonly name: string;
  readonly kind: StateKind;
  /** Names of its tables by what they are of it, such as `elements`; a state without keys has one. */
  readonly tables: Readonly<Record<string, string>>;
}

/** What there is of an operator. */
export interface CataloguedOperator {
  readonly uid: string;
  /** Key columns that are the operator's own, at the start of those of each table; null when nothing tells. */
  readonly keys: number | null;
  /** The schemas of rows that it keeps: by side of a join, else one list. */
  readonly rows: readonly (readonly Schema[])[];
  /** By name. */
  readonly states: ReadonlyMap<string, CataloguedState>;
  /** By name as the checkpoint has it, headers included; those of a key group in their order. */
  readonly pieces: ReadonlyMap<string, readonly WrittenPiece[]>;
}

/** Parts of states that operators with user functions keep, by the end of the name of their table. */
const PARTS = ['value', 'size', 'elements', 'ranges', 'entries', 'order', 'first', 'more'] as const;

/** Everything that is there of each operator. */
export function catalogue(
  { pieces }: Pick<CheckpointManifest, 'pieces'>,
  read: (piece: StatePiece) => Uint8Array,
): ReadonlyMap<string, CataloguedOperator> {
  const byUid = new Map<string, Map<string, WrittenPiece[]>>();
  for (const piece of pieces) {
    if (inFlightPlace(piece) !== null) continue;
    const names = byUid.get(piece.uid) ?? new Map<string, WrittenPiece[]>();
    byUid.set(piece.uid, names);
    const known = names.get(piece.name);
    if (known === undefined) names.set(piece.name, [piece]);
    else known.push(piece);
  }
  return new Map([...byUid].map(([uid, names]) => [uid, operatorOf(uid, names, read)]));
}

function operatorOf(
  uid: string,
  pieces: ReadonlyMap<string, readonly WrittenPiece[]>,
  read: (piece: StatePiece) => Uint8Array,
): CataloguedOperator {
  const headers = HEADERS.flatMap((header) =>
    (pieces.get(header) ?? []).filter(isHeader).map((piece) => {
      return { header, content: deserialize(read(piece)) as HeaderContent };
    }),
  );
  const known = headers.map(keysOf).find((keys) => keys !== null) ?? null;
  const names = [...pieces].flatMap(([name, all]) => (all.every(isHeader) ? [] : [name]));
  return {
    uid,
    keys: known,
    rows: rowsOf(headers),
    states: statesOf(names, pieces.has('process')),
    pieces,
  };
}

/** Names of the pieces by which operators describe themselves. */
const HEADERS = ['operator', 'process', 'join'] as const;

type HeaderName = (typeof HEADERS)[number];

/** As the operators write it. */
type HeaderContent =
  | unknown[]
  | null
  | {
      readonly keys?: number | readonly unknown[];
      readonly rows?: readonly Schema[];
      readonly schemas?: readonly (readonly Schema[])[];
    };

interface Header {
  readonly header: HeaderName;
  readonly content: HeaderContent;
}

function isHeader({ name, keyGroup }: WrittenPiece): boolean {
  return keyGroup === NO_KEY_GROUP && HEADERS.some((header) => header === name);
}

/** An operator that has met no record yet does not know its keys. */
function keysOf({ content }: Header): number | null {
  if (content === null) return null;
  const keys = Array.isArray(content) ? content : content.keys;
  if (typeof keys === 'number') return keys;
  return Array.isArray(keys) ? keys.length : null;
}

function rowsOf(headers: readonly Header[]): readonly (readonly Schema[])[] {
  const sides: Schema[][] = [];
  for (const { content } of headers) {
    if (content === null || Array.isArray(content)) continue;
    const own = content.schemas ?? [content.rows ?? []];
    for (const [side, schemas] of own.entries()) (sides[side] ??= []).push(...schemas);
  }
  return sides;
}

/** Built-in operators have tables, user functions states of several tables each. */
function statesOf(
  names: readonly string[],
  isOfFunction: boolean,
): ReadonlyMap<string, CataloguedState> {
  const states = new Map<string, CataloguedState>();
  const grouped = new Map<string, Map<string, string>>();
  for (const table of names) {
    const kind = operatorStateKind(table);
    const [base, part] = isOfFunction ? partOf(table) : [table, null];
    if (kind !== null) {
      const name = table.slice(kind.length + 1);
      add(states, {
        name,
        kind: kind === 'list' ? 'operatorList' : kind,
        tables: { items: table },
      });
    } else if (part === null) {
      add(states, { name: table, kind: 'table', tables: { table } });
    } else {
      const parts = grouped.get(base) ?? new Map<string, string>();
      grouped.set(base, parts.set(part, table));
    }
  }
  for (const [name, parts] of grouped) {
    add(states, { name, kind: kindOf(parts), tables: Object.fromEntries(parts) });
  }
  return states;
}

/** Names are unique among states of one kind; a second one is called after its kind, too. */
function add(states: Map<string, CataloguedState>, state: CataloguedState): void {
  const name = states.has(state.name) ? `${state.name} (${state.kind})` : state.name;
  states.set(name, { ...state, name });
}

function partOf(table: string): readonly [base: string, part: string | null] {
  const at = table.lastIndexOf('.');
  const end = table.slice(at + 1);
  return at > 0 && PARTS.some((part) => part === end) ? [table.slice(0, at), end] : [table, null];
}

function kindOf(parts: ReadonlyMap<string, string>): StateKind {
  if (parts.has('value')) return 'value';
  if (parts.has('entries') || parts.has('order')) return 'map';
  return parts.has('first') || parts.has('more') ? 'timers' : 'list';
}
