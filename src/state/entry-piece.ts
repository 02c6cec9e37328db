/**
 * Pieces of tables: entries of one key group as bytes and back. A piece is self-contained: what it is, key group, the
 * layout of keys and columns, then the columns of the entries, then the keys of removed ones, and a checksum. Columns
 * are as tables hold them, little-endian, each from a multiple of eight on. Callers: `table-snapshot.ts`. Runs on:
 * worker. Invariant: what is read is what was written, whatever machine and version of Node wrote it.
 */
import { decodeText, encodeText, textKindOf } from '../record/text.js';
import { LITTLE_ENDIAN } from '../record/short-text.js';
import type { EntryColumns, TableSpec } from './contract.js';
import {
  type BlockColumn,
  BytesColumn,
  type EntryBlock,
  type FixedColumn,
  fixedColumn,
  fixedColumnOver,
  isFixed,
  keyColumns,
  RowsColumn,
  ValuesColumn,
  ValuesReader,
} from './entry-block.js';
import { corruptPiece, PieceReader, PieceWriter } from './piece-bytes.js';
import { layoutOf, type TableLayout } from './table-layout.js';

/** 'MLST' */
const MAGIC = 0x54534c4d;
const VERSION = 2;
/** It holds changes and tombstones on top of what is before it, or everything. */
const FLAG_CHANGES = 1;
/** Entries have time stamps. */
const FLAG_STAMPS = 2;
/** It holds changes, but of no entry that is before it in the same snapshot, in which it follows on a whole one. */
const FLAG_MORE = 4;
/** Bytes of a piece beside its columns, about. */
const HEAD_BYTES = 512;

/** What a piece says of itself. */
export interface PieceHead {
  readonly keyGroup: number;
  readonly isChanges: boolean;
  /** Whether it goes on with a whole piece that was full. */
  readonly isMore: boolean;
  readonly hasStamps: boolean;
}

/** The layout of a table as pieces carry it, with what tells how keys are written. */
interface PieceLayout extends TableLayout {
  readonly forms: readonly BlockColumn['form'][];
}

/** The layout of a table as text. */
export function encodeLayout(spec: TableSpec): Uint8Array {
  const forms = keyColumns(spec).map(({ form }) => form);
  const layout: PieceLayout = { ...layoutOf(spec), forms };
  return encodeText(JSON.stringify(layout));
}

/** Whether bytes are a piece of a table; operators put others too. */
export function isTablePiece(bytes: Uint8Array): boolean {
  if (bytes.length < 4) return false;
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true) === MAGIC;
}

/** A piece of the entries of a block and the keys of another one. */
export function writePiece(
  { keyGroup, isChanges, isMore, hasStamps }: PieceHead,
  layout: Uint8Array,
  entries: EntryBlock | null,
  removed: EntryBlock | null,
): Uint8Array {
  const writer = new PieceWriter(HEAD_BYTES + blockBytes(entries) + blockBytes(removed));
  writer.uint32(MAGIC);
  writer.uint8(VERSION);
  writer.uint8(
    (isChanges ? FLAG_CHANGES : 0) | (hasStamps ? FLAG_STAMPS : 0) | (isMore ? FLAG_MORE : 0),
  );
  writer.uint32(keyGroup);
  writer.uint32(entries?.rows ?? 0);
  writer.uint32(removed?.rows ?? 0);
  writer.bytes(layout);
  for (const block of [entries, removed]) if (block !== null) writeColumns(writer, block);
  return writer.seal();
}

function blockBytes(block: EntryBlock | null): number {
  if (block === null) return 0;
  let bytes = 0;
  for (const column of Object.values(block.columns)) {
    if (column instanceof BytesColumn) bytes += 4 * column.rows + column.used;
    else if (column instanceof RowsColumn) {
      bytes += 4 * block.rows + 4 * column.rows.rows + column.rows.used;
    } else if (!(column instanceof ValuesColumn)) bytes += column.BYTES_PER_ELEMENT * block.rows;
    bytes += 24;
  }
  return bytes;
}

function writeColumns(writer: PieceWriter, { rows, layout, columns }: EntryBlock): void {
  for (const { name } of layout) {
    const column = columns[name];
    if (column instanceof ValuesColumn) writer.bytes(column.take());
    else if (column instanceof BytesColumn) writeBytes(writer, column);
    else if (column instanceof RowsColumn) {
      writer.column(littleEndian(column.counts.subarray(0, rows)));
      writeBytes(writer, column.rows);
    } else writer.column(littleEndian(column.subarray(0, rows)));
  }
}

function writeBytes(writer: PieceWriter, { lengths, rows, bytes, used }: BytesColumn): void {
  writer.column(littleEndian(lengths.subarray(0, rows)));
  writer.column(bytes.subarray(0, used));
}

/** A column of a piece, to be read from its first value on. */
export type PieceColumn = FixedColumn | BytesColumn | ValuesReader | RowsColumn;

/** Entries of a piece. */
export interface PieceColumns extends EntryColumns {
  readonly columns: Readonly<Record<string, PieceColumn>>;
}

/** A piece that is read. */
export class EntryPiece implements PieceHead {
  readonly keyGroup: number;
  readonly isChanges: boolean;
  readonly isMore: boolean;
  readonly hasStamps: boolean;
  readonly rows: number;
  readonly removedRows: number;
  readonly layout: PieceLayout;
  /** The same as text. */
  readonly layoutBytes: Uint8Array;
  readonly #reader: PieceReader;

  /** Reads what a piece says of itself; throws STATE_CORRUPT for what is damaged or of a newer version. */
  constructor(bytes: Uint8Array) {
    const reader = new PieceReader(bytes);
    if (reader.uint32() !== MAGIC) throw corruptPiece('It is not the state of a table.');
    const version = reader.uint8();
    if (version !== VERSION) throw corruptPiece(`Its version is ${version}, known is ${VERSION}.`);
    const flags = reader.uint8();
    this.isChanges = (flags & FLAG_CHANGES) !== 0;
    this.hasStamps = (flags & FLAG_STAMPS) !== 0;
    this.isMore = (flags & FLAG_MORE) !== 0;
    this.keyGroup = reader.uint32();
    this.rows = reader.uint32();
    this.removedRows = reader.uint32();
    this.layoutBytes = reader.bytes();
    this.layout = JSON.parse(textOf(this.layoutBytes)) as PieceLayout;
    this.#reader = reader;
  }

  get keyColumns(): readonly BlockColumn[] {
    return this.layout.forms.map((form, index) => ({ name: `k${index}`, form }));
  }

  get valueColumns(): readonly BlockColumn[] {
    const stamps: readonly BlockColumn[] = this.hasStamps ? [{ name: 'stamps', form: 'f64' }] : [];
    const values = this.layout.columns.map(({ form }, index) => ({ name: `c${index}`, form }));
    return [...stamps, ...values.filter(({ form }) => form !== 'none')];
  }

  /** Its entries and the keys of removed ones, in columns; to be called once. */
  read(): { readonly entries: PieceColumns; readonly removed: PieceColumns } {
    const keys = this.keyColumns;
    const entries = this.#columns(this.rows, [...keys, ...this.valueColumns]);
    const removed = this.#columns(this.removedRows, keys);
    this.#reader.finish();
    return { entries, removed };
  }

  #columns(rows: number, layout: readonly BlockColumn[]): PieceColumns {
    const columns: Record<string, PieceColumn> = {};
    if (rows === 0) return { rows, columns };
    for (const { name, form } of layout) columns[name] = this.#column(rows, form);
    return { rows, columns };
  }

  #column(rows: number, form: BlockColumn['form']): PieceColumn {
    if (form === 'js') return new ValuesReader(this.#reader.bytes());
    if (isFixed(form)) return this.#fixed(form, rows);
    if (form !== 'rows') return this.#bytes(rows);
    const counts = this.#fixed('i32', rows) as Int32Array<ArrayBuffer>;
    return new RowsColumn(counts, this.#bytes(sumOf(counts)));
  }

  #bytes(rows: number): BytesColumn {
    const lengths = this.#fixed('i32', rows) as Int32Array<ArrayBuffer>;
    return new BytesColumn(lengths, this.#reader.column(sumOf(lengths)));
  }

  #fixed(form: Parameters<typeof fixedColumnOver>[0], rows: number): FixedColumn {
    const bytes = this.#reader.column(rows * fixedColumn(form, 0).BYTES_PER_ELEMENT);
    const column = fixedColumnOver(form, bytes, rows);
    littleEndian(column);
    return column;
  }
}

/** The bytes of a column as pieces have them; on machines of the other kind, its numbers are turned round in place. */
function littleEndian(column: FixedColumn | Int32Array): Uint8Array {
  const { BYTES_PER_ELEMENT: width, byteLength } = column;
  const bytes = new Uint8Array(column.buffer, column.byteOffset, byteLength);
  if (LITTLE_ENDIAN) return bytes;
  for (let at = 0; at < byteLength; at += width) bytes.subarray(at, at + width).reverse();
  return bytes;
}

function textOf(bytes: Uint8Array): string {
  return decodeText(bytes, 0, bytes.length, textKindOf(bytes, 0, bytes.length));
}

function sumOf(numbers: Int32Array): number {
  let sum = 0;
  for (let at = 0; at < numbers.length; at++) sum += numbers[at];
  return sum;
}
