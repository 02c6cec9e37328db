/**
 * The schemas of a job's streams, agreed by all their producers: an append-only log of JSON entries
 * in shared memory. A producer proposes what its records need; the log grows by a version only when
 * no newer one suffices. Callers: exchange ports, readers, the frame decoder, checkpoints. Runs on:
 * any thread, each with an instance of its own over the same memory. Invariant: an entry is
 * complete before the log's end moves behind it, so readers take no lock, and a thread that dies
 * while it holds the lock leaves no half entry.
 */
import { assert } from '../base/assert.js';
import { MillraceError } from '../base/errors.js';
import type { Schema } from './schema.js';
import { schemaName } from './schema.js';
import { mergeSchemas, sameSchema } from './schema-merge.js';
import { decodeText, encodeText } from './text.js';
import { TEXT_UTF8 } from './column.js';

/** A schema and its place in the history of its stream. Versions start at 1. */
export interface SchemaVersion {
  readonly schema: Schema;
  readonly version: number;
}

/** The evolving schema of one stream, shared by all its producers. */
export interface StreamSchemas {
  /** Newest version, or null before the first. */
  current(): SchemaVersion | null;
  /**
   * Merges a schema in (add field, make nullable, widen) and gives the newest version; never
   * narrows.
   */
  propose(schema: Schema): SchemaVersion;
  /** A version known to be registered. */
  get(version: number): Schema;
}

const WORD_BYTES = 4;
/** Words of the header: the lock, and the number of bytes in use. */
const LOCK_WORD = 0;
const END_WORD = 1;
const HEADER_BYTES = 16;
/** Words of an entry before its JSON: stream, bytes of the JSON. */
const ENTRY_HEADER_BYTES = 8;
/** Looks at the lock before the thread sleeps between two looks, and how long it does so in all. */
const SPINS_MAX = 1000;
const SLEEP_MS = 1;
const SLEEPS_MAX = 10_000;

/** Bytes that suffice for this many schemas of ordinary size. */
export function schemaRegistryBytes(streams: number): number {
  return HEADER_BYTES + streams * 64 * 1024;
}

/** The log, as one thread sees it. */
export class SchemaRegistry {
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #capacityBytes: number;
  /** Versions parsed so far, by stream; the log is parsed up to `#parsedEnd`. */
  readonly #versions = new Map<number, SchemaVersion[]>();
  #parsedEnd = HEADER_BYTES;

  /** `memory` is zeroed before the first instance sees it, and shared by all of them. */
  constructor(memory: SharedArrayBuffer) {
    this.#capacityBytes = memory.byteLength - (memory.byteLength % 8);
    assert(this.#capacityBytes > HEADER_BYTES, 'A schema registry has room for a schema.');
    this.#words = new Int32Array(memory, 0, this.#capacityBytes / WORD_BYTES);
    this.#bytes = new Uint8Array(memory, 0, this.#capacityBytes);
  }

  /** Bytes of the memory that are in use. */
  get usedBytes(): number {
    return Math.max(HEADER_BYTES, Atomics.load(this.#words, END_WORD));
  }

  /** The schemas of one stream; streams are numbered by the plan. */
  stream(streamId: number): StreamSchemas {
    return {
      current: () => this.#history(streamId).at(-1) ?? null,
      propose: (schema) => this.#propose(streamId, schema),
      get: (version) => {
        const known = this.#history(streamId)[version - 1];
        assert(known !== undefined, `Schema version ${version} of a stream is registered.`);
        return known.schema;
      },
    };
  }

  /** All versions of a stream so far. */
  #history(streamId: number): SchemaVersion[] {
    this.#catchUp();
    const known = this.#versions.get(streamId);
    if (known !== undefined) return known;
    const history: SchemaVersion[] = [];
    this.#versions.set(streamId, history);
    return history;
  }

  #catchUp(): void {
    const end = Math.max(HEADER_BYTES, Atomics.load(this.#words, END_WORD));
    while (this.#parsedEnd < end) {
      const word = this.#parsedEnd / WORD_BYTES;
      const streamId = this.#words[word];
      const bytes = this.#words[word + 1];
      const start = this.#parsedEnd + ENTRY_HEADER_BYTES;
      const json = decodeText(this.#bytes, start, start + bytes, TEXT_UTF8);
      const history = this.#versions.get(streamId) ?? [];
      history.push({ schema: deepFrozen(JSON.parse(json) as Schema), version: history.length + 1 });
      this.#versions.set(streamId, history);
      this.#parsedEnd = start + padded(bytes);
    }
  }

  #propose(streamId: number, schema: Schema): SchemaVersion {
    for (;;) {
      const newest = this.#history(streamId).at(-1);
      const merged = newest === undefined ? schema : mergeSchemas(newest.schema, schema);
      if (newest !== undefined && sameSchema(merged, newest.schema)) return newest;
      // Merging and encoding happen outside the lock; when another producer was faster, they are
      // repeated.
      this.#append(streamId, merged, newest?.version ?? 0);
    }
  }

  #append(streamId: number, schema: Schema, expectedVersion: number): void {
    const json = encodeText(JSON.stringify(schema));
    this.#lock();
    try {
      const version = this.#history(streamId).at(-1)?.version ?? 0;
      if (version !== expectedVersion) return;
      const start = this.#parsedEnd;
      const end = start + ENTRY_HEADER_BYTES + padded(json.length);
      if (end > this.#capacityBytes) throw registryFull(this.#capacityBytes, schema);
      this.#words[start / WORD_BYTES] = streamId;
      this.#words[start / WORD_BYTES + 1] = json.length;
      this.#bytes.set(json, start + ENTRY_HEADER_BYTES);
      Atomics.store(this.#words, END_WORD, end);
    } finally {
      this.#unlock();
    }
  }

  #lock(): void {
    for (let sleeps = 0; sleeps < SLEEPS_MAX; sleeps++) {
      for (let spins = 0; spins < SPINS_MAX; spins++) {
        if (Atomics.compareExchange(this.#words, LOCK_WORD, 0, 1) === 0) return;
      }
      Atomics.wait(this.#words, LOCK_WORD, 1, SLEEP_MS);
    }
    assert(false, 'The lock of the schema registry is released within seconds.');
  }

  #unlock(): void {
    Atomics.store(this.#words, LOCK_WORD, 0);
    Atomics.notify(this.#words, LOCK_WORD, 1);
  }
}

function padded(bytes: number): number {
  return (bytes + 7) & ~7;
}

function registryFull(capacityBytes: number, schema: Schema): MillraceError {
  const name = schemaName(schema);
  const shown = name.length > 200 ? `${name.slice(0, 200)}…` : name;
  return new MillraceError(
    'SCHEMA_REGISTRY_FULL',
    `The schemas of this job take more than ${capacityBytes} bytes; the newest is ${shown}.`,
    {
      advice:
        'Records whose property names are data (ids, dates) add a field each: ' +
        'hold them in a Map, or as a list of pairs.',
    },
  );
}

function deepFrozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const part of Object.values(value)) deepFrozen(part);
  return Object.freeze(value);
}
