/**
 * Tables as bytes and back: pieces of one key group each, so that snapshots of one parallelism are dealt to another.
 * A piece is self-contained: magic and version, key group, the layout of keys and columns, then the entries with
 * fixed values in their own width, and a checksum. Callers: operators' `snapshot` and `restore`, keyed-state.ts.
 * Runs on: worker. Invariant: what is loaded is what was drained, whatever machine and version of Node wrote it.
 */
import { MillraceError } from '../base/errors.js';
import { decimalText, decimalUnscaled } from '../record/decimal.js';
import type { DataType } from '../record/schema.js';
import { decodeText, encodeText, textKindOf } from '../record/text.js';
import type { StateTable, TableEntry, TableSpec, ValueForm } from './contract.js';
import { corruptPiece, PieceReader, PieceWriter } from './piece-bytes.js';
import { layoutOf, layoutText, type TableLayout, takesLayout, valuesFor } from './table-layout.js';
import type { Slice, SnapshotScope, StateSink, StateWriter } from './state-writer.js';
import { keyForm } from './table-shape.js';

/** What entries are loaded into. */
export type LoadedTable = Pick<StateTable, 'spec' | 'nowMs' | 'load'>;
/** Where it comes from; the runtime's `SnapshotSource` is one. */
export interface StateSource {
  get(
    uid: string,
    name: string,
  ): Iterable<{ readonly keyGroup: number; readonly bytes: Uint8Array }>;
}

/** 'MLST' */
const MAGIC = 0x54534c4d;
const VERSION = 1;
/** Where the number of entries is, which is known last. */
const ENTRIES_OFFSET = 12;
/** Flags of a piece: it holds changes and tombstones, or everything. */
const FLAG_CHANGES = 1;
/** Entries have time stamps. */
const FLAG_STAMPS = 2;
const ENTRY_VALUE = 1;
export const ENTRY_TOMBSTONE = 0;
const MS_PER_DAY = 86_400_000;
/** A piece that has become this large is put, and the next one begun. */
export const PIECE_BYTES = 1 << 16;

/** A piece that is written. */
interface OpenPiece {
  readonly writer: PieceWriter;
  readonly isChanges: boolean;
  entries: number;
}

/** Where the pieces of one table go. */
export type PutPiece = (keyGroup: number, bytes: Uint8Array, isChanges: boolean) => void;

/** Freezes a table and writes it in slices. */
export class TableWriter implements StateWriter {
  readonly #uid: string;
  readonly #table: StateTable;
  readonly #full: boolean;
  readonly #generation: number;
  readonly #writer: EntryWriter;
  #isDrained = false;

  constructor(uid: string, table: StateTable, { full, isConfirmable }: SnapshotScope) {
    this.#uid = uid;
    this.#table = table;
    this.#full = full;
    this.#generation = table.freeze(isConfirmable);
    this.#writer = new EntryWriter(table.spec, full);
  }

  step(sink: StateSink, slice: Slice): boolean {
    this.#drain(slice);
    const { name } = this.#table.spec;
    this.#writer.putTo((keyGroup, bytes, isChanges) => {
      sink.put(this.#uid, name, keyGroup, bytes, isChanges);
    });
    return this.#isDrained;
  }

  #drain(slice: Slice): void {
    if (this.#isDrained || slice.left <= 0) return;
    this.#isDrained = this.#table.drain(slice.left, this.#full, (entry) => {
      slice.left--;
      this.#writer.write(entry);
    });
    slice.left--;
    if (this.#isDrained) this.#writer.finish();
  }

  complete(): void {
    const slice = { left: Number.POSITIVE_INFINITY };
    while (!this.#isDrained) this.#drain(slice);
  }

  confirm(): void {
    this.#table.confirm(this.#generation);
  }

  abort(): void {
    if (!this.#isDrained) this.#table.abandon();
    this.#isDrained = true;
  }
}

/** Writes entries, each into a piece of its key group. */
export class EntryWriter {
  readonly #spec: TableSpec;
  readonly #full: boolean;
  readonly #open = new Map<number, OpenPiece>();
  /** Key groups of which there is a piece already. */
  readonly #begun = new Set<number>();
  readonly #finished: { readonly keyGroup: number; readonly piece: OpenPiece }[] = [];
  readonly #layout: Uint8Array;

  constructor(spec: TableSpec, full: boolean) {
    this.#spec = spec;
    this.#full = full;
    this.#layout = encodeText(JSON.stringify(layoutOf(spec)));
  }

  /** Ends the pieces, in the order of their key groups. */
  finish(): void {
    const groups = [...this.#open.keys()].toSorted((left, right) => left - right);
    for (const keyGroup of groups) this.#close(keyGroup);
  }

  /** Puts what has ended. */
  putTo(put: PutPiece): void {
    for (const { keyGroup, piece } of this.#finished) {
      setEntries(piece.writer, piece.entries);
      put(keyGroup, piece.writer.seal(), piece.isChanges);
    }
    this.#finished.length = 0;
  }

  #close(keyGroup: number): void {
    const piece = this.#open.get(keyGroup);
    if (piece === undefined) return;
    this.#open.delete(keyGroup);
    this.#finished.push({ keyGroup, piece });
  }

  write({ keyGroup, key, values, stampMs }: TableEntry): void {
    const piece = this.#open.get(keyGroup) ?? this.#begin(keyGroup);
    const spec = this.#spec;
    const { writer } = piece;
    piece.entries++;
    writer.uint8(values === null ? ENTRY_TOMBSTONE : ENTRY_VALUE);
    spec.keys.forEach((type, index) => writeKey(writer, type, key[index]));
    if (values !== null) {
      if (spec.ttlMs !== null) writer.float64(stampMs);
      spec.columns.forEach(({ form }, index) => writeValue(writer, form, values[index]));
    }
    if (writer.length >= PIECE_BYTES) this.#close(keyGroup);
  }

  /** Begins a piece; all but the first one of a key group add to what was before them. */
  #begin(keyGroup: number): OpenPiece {
    const isChanges = !this.#full || this.#begun.has(keyGroup);
    this.#begun.add(keyGroup);
    const writer = new PieceWriter();
    const hasStamps = this.#spec.ttlMs !== null;
    writePieceHeader(writer, { keyGroup, isChanges, hasStamps, layout: this.#layout });
    const piece = { writer, isChanges, entries: 0 };
    this.#open.set(keyGroup, piece);
    return piece;
  }
}

/** What a piece says before its entries. */
export interface PieceHeader {
  readonly keyGroup: number;
  readonly isChanges: boolean;
  readonly hasStamps: boolean;
  /** JSON of a `TableLayout`. */
  readonly layout: Uint8Array;
}

/** Begins a piece; how many entries follow is set by `setEntries`. */
export function writePieceHeader(writer: PieceWriter, header: PieceHeader): void {
  writer.uint32(MAGIC);
  writer.uint8(VERSION);
  writer.uint8((header.isChanges ? FLAG_CHANGES : 0) | (header.hasStamps ? FLAG_STAMPS : 0));
  writer.uint8(0);
  writer.uint8(0);
  writer.uint32(header.keyGroup);
  writer.uint32(0);
  writer.bytes(header.layout);
}

export function setEntries(writer: PieceWriter, entries: number): void {
  writer.setUint32(ENTRIES_OFFSET, entries);
}

/** Whether bytes are a piece of a table; operators put others too. */
export function isTablePiece(bytes: Uint8Array): boolean {
  if (bytes.length < 4) return false;
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true) === MAGIC;
}

export function readPieceHeader(reader: PieceReader): PieceHeader & { readonly entries: number } {
  if (reader.uint32() !== MAGIC) throw corruptPiece('It is not the state of a table.');
  const version = reader.uint8();
  if (version !== VERSION) throw corruptPiece(`Its version is ${version}, known is ${VERSION}.`);
  const flags = reader.uint8();
  reader.uint8();
  reader.uint8();
  const keyGroup = reader.uint32();
  const entries = reader.uint32();
  return {
    keyGroup,
    entries,
    isChanges: (flags & FLAG_CHANGES) !== 0,
    hasStamps: (flags & FLAG_STAMPS) !== 0,
    layout: reader.bytes(),
  };
}

/**
 * Loads a piece into a table before its first use. A base is loaded before its changes. Stamps of a table that has
 * no time to live any more are dropped; entries of one that had none before count as written now.
 */
export function loadTable(table: LoadedTable, bytes: Uint8Array): void {
  const reader = new PieceReader(bytes);
  const { keyGroup, entries, hasStamps, layout } = readPieceHeader(reader);
  const written = JSON.parse(textOf(layout)) as TableLayout;
  checkLayout(table.spec, written);
  for (let left = entries; left > 0; left--) {
    table.load(readEntry(reader, table, written, { keyGroup, hasStamps }));
  }
  reader.finish();
}

function readEntry(
  reader: PieceReader,
  table: LoadedTable,
  written: TableLayout,
  { keyGroup, hasStamps }: { readonly keyGroup: number; readonly hasStamps: boolean },
): TableEntry {
  const { keys, columns } = table.spec;
  const isTombstone = reader.uint8() === ENTRY_TOMBSTONE;
  const key = keys.map((type) => readKey(reader, type));
  if (isTombstone) return { keyGroup, key, values: null, stampMs: 0 };
  const stampMs = hasStamps ? reader.float64() : table.nowMs;
  const values = written.columns.map(({ form }) => readValue(reader, form));
  return { keyGroup, key, values: valuesFor(values, written.columns, columns), stampMs };
}

/** Refuses what was written for types that the table does not hold. */
function checkLayout(spec: TableSpec, written: TableLayout): void {
  if (takesLayout(written, spec)) return;
  const was = layoutText(written);
  const is = layoutText(layoutOf(spec));
  throw new MillraceError(
    'STATE_INCOMPATIBLE',
    `State ${JSON.stringify(spec.name)} was written as ${was}, and the job now declares ${is}.`,
    { advice: 'Keep key and value types of a state, or give the changed state a new name.' },
  );
}

function writeKey(writer: PieceWriter, type: DataType, value: unknown): void {
  const form = keyForm(type, '');
  switch (form) {
    case 'text':
      return writer.bytes(value instanceof Uint8Array ? value : encodeText(String(value)));
    case 'i64':
      if (type.kind === 'decimal') {
        return writer.int64(decimalUnscaled(String(value), type.precision, type.scale) ?? 0n);
      }
      return writer.int64(value as bigint);
    case 'f64':
      return writer.float64(Number(value));
    case 'f32':
      return writer.float32(Number(value));
    case 'u32':
      return writer.uint32(Number(value));
    case 'u8':
      return writer.uint8(Number(value));
    case 'i32':
      return writer.int32(value instanceof Date ? value.getTime() / MS_PER_DAY : Number(value));
  }
}

function readKey(reader: PieceReader, type: DataType): unknown {
  switch (keyForm(type, '')) {
    case 'text':
      return type.kind === 'bytes' ? reader.bytes() : textOf(reader.bytes());
    case 'i64': {
      const value = reader.int64();
      return type.kind === 'decimal' ? decimalText(value, type.scale) : value;
    }
    case 'f64': {
      const value = reader.float64();
      return type.kind === 'timestamp' ? new Date(value) : value;
    }
    case 'f32':
      return reader.float32();
    case 'u32':
      return reader.uint32();
    case 'u8':
      return reader.uint8() !== 0;
    case 'i32': {
      const value = reader.int32();
      return type.kind === 'date' ? new Date(value * MS_PER_DAY) : value;
    }
  }
}

function writeValue(writer: PieceWriter, form: ValueForm, value: unknown): void {
  switch (form) {
    case 'f64':
      return writer.float64(value as number);
    case 'i32':
      return writer.int32(value as number);
    case 'u8':
      return writer.uint8(value as number);
    case 'i64':
      return writer.int64(value as bigint);
    case 'utf8':
      return writer.bytes(encodeText(value as string));
    case 'js':
      return writer.heapValue(value);
    case 'rows': {
      const rows = value as readonly Uint8Array[];
      writer.uint32(rows.length);
      for (const row of rows) writer.bytes(row);
      return;
    }
    case 'none':
      return;
  }
}

function readValue(reader: PieceReader, form: ValueForm): unknown {
  switch (form) {
    case 'f64':
      return reader.float64();
    case 'i32':
      return reader.int32();
    case 'u8':
      return reader.uint8();
    case 'i64':
      return reader.int64();
    case 'utf8':
      return textOf(reader.bytes());
    case 'js':
      return reader.heapValue();
    case 'rows':
      return Array.from({ length: reader.uint32() }, () => reader.bytes());
    case 'none':
      return undefined;
  }
}

function textOf(bytes: Uint8Array): string {
  return decodeText(bytes, 0, bytes.length, textKindOf(bytes, 0, bytes.length));
}
