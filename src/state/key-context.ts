/**
 * The key that keyed state works on: that of the record or timer at hand. The operator sets it, the look-ups of
 * `keyed-table.ts` read it. Callers: operators with keyed state. Runs on: worker. Invariant: while a key is current,
 * hash, key group and flat arguments belong to it; when none is, look-ups refuse to work.
 */
import { assert } from '../base/assert.js';
import { MillraceError } from '../base/errors.js';
import { keyGroupOf } from '../record/key-group.js';
import { combineHash, TUPLE_HASH_START } from '../record/key-hash.js';
import type { DataType } from '../record/schema.js';
import type { KeyTuple } from './contract.js';
import { flatLength, keyOfArguments, pushKeyArguments, tableKeyHash } from './table-key.js';

/** The entry of a key that has not been looked up. */
export const UNKNOWN_ENTRY = -2;

/** The key of the record at hand, set by the operator. */
export class CurrentKey {
  /** Types of the key, as tables keep it; null as long as they are not known. */
  types: readonly DataType[] | null = null;
  /** Whether a key is current. */
  isSet = false;
  /** Hash of the key, as the exchange computed it. */
  hash = 0;
  keyGroup = 0;
  /**
   * The key as the flat arguments of `upsert` and `find`; one array for all keys. Generated code writes them here
   * before it calls `enter`.
   */
  readonly flat: unknown[] = [];
  /** The key's entry in the shared table: -1 for none, UNKNOWN_ENTRY before it is asked for. */
  entry = UNKNOWN_ENTRY;
  /** Whether that entry was upserted for this key, so that its parts may be written. */
  isOwn = false;
  readonly #maxParallelism: number;

  constructor(types: readonly DataType[] | null, maxParallelism: number) {
    this.#maxParallelism = maxParallelism;
    if (types !== null) this.bind(types);
  }

  /** The types of the key have become known. */
  bind(types: readonly DataType[]): void {
    this.types = types;
    this.flat.length = 0;
    for (let left = flatLength(types); left > 0; left--) this.flat.push(undefined);
  }

  /** Makes `key` the current one. */
  set(key: KeyTuple): void {
    const { types } = this;
    assert(types !== null, 'The types of a key are known before there is one.');
    this.flat.length = 0;
    for (let index = 0; index < types.length; index++) {
      pushKeyArguments(this.flat, types[index], key[index]);
    }
    const hash = tableKeyHash(types, key);
    this.enter(hash, keyGroupOf(hash, this.#maxParallelism));
  }

  /** Makes the key whose arguments are in `flat` the current one; hash and key group are those of the exchange. */
  enter(hash: number, keyGroup: number): void {
    this.hash = hash;
    this.keyGroup = keyGroup;
    this.isSet = true;
    this.entry = UNKNOWN_ENTRY;
    this.isOwn = false;
  }

  /** The key's entry has been found, and written in this generation, before; negative when it has not. */
  found(entry: number): void {
    if (entry < 0) return;
    this.entry = entry;
    this.isOwn = true;
  }

  /** No key is current any more; look-ups refuse to work. */
  unset(): void {
    this.isSet = false;
    this.forget();
  }

  /** The key's entry has to be looked up anew: it is gone, or may not be written before it is kept as it was. */
  forget(): void {
    this.entry = UNKNOWN_ENTRY;
    this.isOwn = false;
  }

  /** The key as the user's records hold it. */
  get key(): KeyTuple {
    const { types } = this;
    if (!this.isSet || types === null) return this.refuse();
    return keyOfArguments(types, this.flat);
  }

  /** The hash of the key's elements to continue with more of them, for tables keyed by (key, more). */
  get openHash(): number {
    // The hash of one value is its own; that of several is made element by element already.
    return this.types?.length === 1 ? combineHash(TUPLE_HASH_START, this.hash) : this.hash;
  }

  /** Throws STATE_WITHOUT_KEY. */
  refuse(): never {
    throw new MillraceError('STATE_WITHOUT_KEY', 'Keyed state is used while no key is current.', {
      advice: 'Use keyed state only while a record or timer of the keyed stream is processed.',
    });
  }
}
