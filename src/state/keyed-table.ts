/**
 * A table of which the first key columns are the current key: look-ups that take the key from the context, compiled
 * for its number of arguments so that no arguments are collected per record. Callers: the `*-state.ts` handles,
 * timers of operators. Runs on: worker. Invariant: as long as the table is not bound, because the types of the keys
 * are not known, no key can be current, and every look-up says so.
 */
import { compileFunction } from 'node:vm';
import { assert } from '../base/assert.js';
import { combineHash, hashNumber, hashText } from '../record/key-hash.js';
import { encodeText } from '../record/text.js';
import type { StateTable } from './contract.js';
import type { CurrentKey } from './key-context.js';
import { flatLength } from './table-key.js';

/** What a table is keyed by behind the current key. */
export type MoreKeys = 'nothing' | 'text' | 'numbers';

/** Look-ups of one table; -1 from `find` where there is no entry. */
interface Lookups {
  find(more?: unknown, before?: readonly number[]): number;
  read(more?: unknown, before?: readonly number[]): number;
  upsert(more?: unknown, before?: readonly number[]): number;
}

/** How the entries of a table live. */
export interface EntryLives {
  /** Whether reading an entry begins its time to live anew. */
  readonly refreshesOnRead: boolean;
  /** When what uses an entry happens; null where that does not change within a batch. */
  readonly useMs: (() => number) | null;
}

const FOR_EVER: EntryLives = { refreshesOnRead: false, useMs: null };

/** A text as bytes, with the hash that a table expects of it. */
export class NamedKey {
  readonly text: string;
  readonly bytes: Uint8Array;
  readonly hash: number;

  constructor(text: string) {
    this.text = text;
    this.bytes = encodeText(text);
    this.hash = hashText(text);
  }
}

/** A table keyed by the current key and, if it has such columns, something more. */
export class KeyedTable {
  /** Entry of the current key, or of (current key, more), or -1. */
  find: Lookups['find'];
  /** The same, and counts as a use where reading is one. */
  read: Lookups['read'];
  /** The same as `find`, created when missing. */
  upsert: Lookups['upsert'];
  #table: StateTable | null = null;

  constructor(context: CurrentKey) {
    this.find = () => context.refuse();
    this.read = this.find;
    this.upsert = this.find;
  }

  /** The table, once there is one: after a look-up that found an entry in any case. */
  get table(): StateTable {
    assert(this.#table !== null, 'A table with entries has been opened.');
    return this.#table;
  }

  get isBound(): boolean {
    return this.#table !== null;
  }

  /** Whether the last `upsert` created its entry. */
  get created(): boolean {
    return this.table.created;
  }

  /** Takes an entry out. */
  remove(entry: number): void {
    this.table.remove(entry);
  }

  /**
   * Takes the table. Its look-ups take a `NamedKey` for text, for numbers the last one and, where there are
   * several, those before it.
   */
  bind(
    table: StateTable,
    context: CurrentKey,
    more: MoreKeys,
    { numbers = 1, lives = FOR_EVER }: { numbers?: number; lives?: EntryLives } = {},
  ): void {
    this.#table = table;
    const { find, read, upsert } = compileLookups(table, context, more, { numbers, lives });
    this.find = find;
    this.read = read;
    this.upsert = upsert;
  }
}

/** Compiled for each table, so that what it calls stays one function to V8. */
function compileLookups(
  table: StateTable,
  context: CurrentKey,
  more: MoreKeys,
  { numbers, lives }: { readonly numbers: number; readonly lives: EntryLives },
): Lookups {
  const { types } = context;
  assert(types !== null, 'A table is bound when the types of its keys are known.');
  const args = Array.from({ length: flatLength(types) }, (_, index) => `flat[${index}]`);
  const hash: string[] = [];
  if (more === 'nothing') {
    hash.push('const hash = key.hash;');
  } else {
    hash.push('let hash = key.openHash;');
  }
  if (more === 'text') {
    hash.push('hash = combineHash(hash, more.hash);');
    args.push('more.bytes', '0', 'more.bytes.length');
  }
  if (more === 'numbers') {
    for (let at = 0; at < numbers - 1; at++) {
      hash.push(`hash = combineHash(hash, hashNumber(before[${at}]));`);
      args.push(`before[${at}]`);
    }
    hash.push('hash = combineHash(hash, hashNumber(more));');
    args.push('more');
  }
  const stamp = lives.useMs === null ? '' : 'table.stampMs = useMs();';
  const lookup = (name: string, isUse: boolean): string =>
    `function ${name}(more, before) {
  if (!key.isSet) key.refuse();
  ${isUse ? stamp : ''}
  ${hash.join('\n  ')}
  return table_${name}(key.keyGroup, hash, ${args.join(', ')});
}`;
  const read = `function read(more, before) {
  const entry = find(more, before);
  if (entry < 0) return -1;
  ${stamp}
  table.refresh(entry);
  return entry;
}`;
  const code = `'use strict';
const { key, table, useMs, combineHash, hashNumber } = constants;
const { flat } = key;
const table_find = table.find, table_upsert = table.upsert;
${lookup('find', false)}
${lookup('upsert', true)}
${lives.refreshesOnRead ? read : 'const read = find;'}
return { find, read, upsert };`;
  const make = compileFunction(code, ['constants'], {
    filename: `millrace:keyed-table/${table.spec.name}.js`,
  }) as (constants: unknown) => Lookups;
  return make({ key: context, table, useMs: lives.useMs, combineHash, hashNumber });
}
