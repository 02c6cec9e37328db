/**
 * The key that keyed state handles work on: that of the record or timer at hand. The operator sets it, handles
 * read it. Callers: operators with keyed state, every `*-state.ts`. Runs on: worker. Invariant: hash, key group and
 * flat arguments always belong to `key`.
 */
import { MillraceError } from '../base/errors.js';
import { keyGroupOf } from '../record/key-group.js';
import {
  combineHash,
  hashNumber,
  hashText,
  hashValue,
  TUPLE_HASH_START,
} from '../record/key-hash.js';
import type { DataType } from '../record/schema.js';
import { encodeText } from '../record/text.js';
import type { KeyTuple, StateTable } from './contract.js';
import { pushKeyArguments, tableKeyHash } from './table-key.js';

/** What handles read. */
export interface KeyContext {
  readonly types: readonly DataType[];
  readonly key: KeyTuple;
  readonly keyGroup: number;
  /** Hash of the key, as the exchange computed it. */
  readonly hash: number;
  /** The hash of the key's elements to continue with more of them, for tables keyed by (key, more). */
  readonly openHash: number;
  /** The key as the flat arguments of `upsert` and `find`. */
  readonly flat: readonly unknown[];
}

/** The key of the record at hand, set by the operator. */
export class CurrentKey implements KeyContext {
  readonly types: readonly DataType[];
  readonly #maxParallelism: number;
  #key: KeyTuple | null = null;
  #flat: readonly unknown[] | null = null;
  #openHash: number | null = null;
  #hash = 0;
  #keyGroup = 0;

  constructor(types: readonly DataType[], maxParallelism: number) {
    this.types = types;
    this.#maxParallelism = maxParallelism;
  }

  /** Makes `key` the current one. */
  set(key: KeyTuple): void {
    const hash = tableKeyHash(this.types, key);
    this.setHashed(key, hash, keyGroupOf(hash, this.#maxParallelism));
  }

  /** The same when hash and key group are known already; flat arguments are made when a handle asks. */
  setHashed(key: KeyTuple, hash: number, keyGroup: number): void {
    this.#key = key;
    this.#hash = hash;
    this.#keyGroup = keyGroup;
    this.#flat = null;
    this.#openHash = null;
  }

  /** No key is current any more; handles refuse to work. */
  unset(): void {
    this.#key = null;
  }

  get key(): KeyTuple {
    if (this.#key === null) {
      throw new MillraceError('STATE_WITHOUT_KEY', 'Keyed state is used while no key is current.', {
        advice: 'Use keyed state only while a record or timer of the keyed stream is processed.',
      });
    }
    return this.#key;
  }

  get keyGroup(): number {
    return this.#keyGroup;
  }

  get hash(): number {
    return this.#hash;
  }

  get openHash(): number {
    const { key } = this;
    this.#openHash ??= this.types.reduce(
      (hash, type, index) => combineHash(hash, hashValue(key[index], type)),
      TUPLE_HASH_START,
    );
    return this.#openHash;
  }

  get flat(): readonly unknown[] {
    const { key } = this;
    if (this.#flat === null) {
      const flat: unknown[] = [];
      for (let index = 0; index < this.types.length; index++) {
        pushKeyArguments(flat, this.types[index], key[index]);
      }
      this.#flat = flat;
    }
    return this.#flat;
  }
}

/** `upsert` and `find` of a table whose key forms are known at run time only. */
type Lookup = (keyGroup: number, hash: number, ...key: readonly unknown[]) => number;

/** The entry of the current key in a table keyed by it, or -1. */
export function findCurrent(table: StateTable, context: KeyContext): number {
  const { flat } = context;
  return (table.find as Lookup)(context.keyGroup, context.hash, ...flat);
}

/** The entry of the current key in a table keyed by it, created when missing. */
export function upsertCurrent(table: StateTable, context: KeyContext): number {
  const { flat } = context;
  return (table.upsert as Lookup)(context.keyGroup, context.hash, ...flat);
}

/** The entry of (current key, number) in a table keyed so, or -1. */
export function findNumbered(table: StateTable, context: KeyContext, number: number): number {
  const hash = combineHash(context.openHash, hashNumber(number));
  return (table.find as Lookup)(context.keyGroup, hash, ...context.flat, number);
}

/** The entry of (current key, number), created when missing. */
export function upsertNumbered(table: StateTable, context: KeyContext, number: number): number {
  const hash = combineHash(context.openHash, hashNumber(number));
  return (table.upsert as Lookup)(context.keyGroup, hash, ...context.flat, number);
}

/** A text as bytes, with the hash that a table expects of it. */
export class NamedKey {
  readonly bytes: Uint8Array;
  readonly hash: number;

  constructor(text: string) {
    this.bytes = encodeText(text);
    this.hash = hashText(text);
  }
}

/** The entry of (current key, text) in a table keyed so, or -1. */
export function findNamed(table: StateTable, context: KeyContext, name: NamedKey): number {
  const { bytes } = name;
  const hash = combineHash(context.openHash, name.hash);
  return (table.find as Lookup)(context.keyGroup, hash, ...context.flat, bytes, 0, bytes.length);
}

/** The entry of (current key, text), created when missing. */
export function upsertNamed(table: StateTable, context: KeyContext, name: NamedKey): number {
  const { bytes } = name;
  const hash = combineHash(context.openHash, name.hash);
  return (table.upsert as Lookup)(context.keyGroup, hash, ...context.flat, bytes, 0, bytes.length);
}
