/**
 * Merges a piece of a table and the changes that came after into pieces that stand for all of them, without knowing the
 * table: entries are copied as bytes. Callers: the merge of incremental checkpoints. Runs on: any thread; takes memory
 * for the pieces of one key group. Invariant: loading the result gives what loading all pieces in their order gives.
 */
import { decodeText, textKindOf } from '../record/text.js';
import type { ValueForm } from './contract.js';
import { PieceReader, PieceWriter } from './piece-bytes.js';
import type { TableLayout } from './table-layout.js';
import {
  ENTRY_TOMBSTONE,
  isTablePiece,
  PIECE_BYTES,
  type PieceHeader,
  readPieceHeader,
  setEntries,
  writePieceHeader,
} from './table-snapshot.js';

/** A piece of the result. All but the first one add to it. */
export interface MergedPiece {
  readonly bytes: Uint8Array;
  readonly isChanges: boolean;
}

/** Bytes of a key in an entry; null for those that say how long they are. */
type Width = number | null;

const KEY_WIDTHS: Readonly<Record<string, Width>> = {
  number: 8,
  float64: 8,
  timestamp: 8,
  int64: 8,
  float32: 4,
  int8: 4,
  int16: 4,
  int32: 4,
  uint8: 4,
  uint16: 4,
  uint32: 4,
  date: 4,
  bool: 1,
  null: 1,
  utf8: null,
  bytes: null,
};

/** Where an entry is. */
interface Entry {
  readonly from: PieceReader;
  readonly start: number;
  readonly end: number;
  readonly isTombstone: boolean;
}

/**
 * The pieces of one key group of one table, the oldest first, as few that hold everything. With `isBase` nothing is
 * below them, so that what was deleted needs no mention; otherwise the result is changes too. Null when they cannot be
 * merged: other state than tables, or entries of different layouts, which only the table itself can bring together.
 */
export function mergeTablePieces(
  pieces: readonly Uint8Array[],
  isBase: boolean,
): readonly MergedPiece[] | null {
  let header: PieceHeader | null = null;
  const entries = new Map<string, Entry>();
  for (const bytes of pieces) {
    if (!isTablePiece(bytes)) return null;
    const reader = new PieceReader(bytes);
    const own = readPieceHeader(reader);
    header ??= own;
    const shape = shapeOf(own);
    if (!isAlike(own, header) || shape === null) return null;
    for (let left = own.entries; left > 0; left--) takeEntry(reader, shape, entries);
    reader.finish();
  }
  return header === null ? [] : writeEntries(header, entries.values(), isBase);
}

interface Shape {
  readonly keys: readonly Width[];
  readonly values: readonly ValueForm[];
  readonly stampBytes: number;
}

function shapeOf({ layout, hasStamps }: PieceHeader): Shape | null {
  const text = decodeText(layout, 0, layout.length, textKindOf(layout, 0, layout.length));
  const { keys, columns } = JSON.parse(text) as TableLayout;
  const widths = keys.map(keyWidth);
  if (widths.some((width) => width === undefined)) return null;
  return {
    keys: widths.filter((width) => width !== undefined),
    values: columns.map(({ form }) => form),
    stampBytes: hasStamps ? 8 : 0,
  };
}

function keyWidth(type: string): Width | undefined {
  const [, precision] = /^decimal\((\d+),/.exec(type) ?? [];
  if (precision !== undefined) return Number(precision) <= 18 ? 8 : null;
  return KEY_WIDTHS[type];
}

function isAlike(left: PieceHeader, right: PieceHeader): boolean {
  return (
    left.keyGroup === right.keyGroup &&
    left.hasStamps === right.hasStamps &&
    Buffer.compare(left.layout, right.layout) === 0
  );
}

function takeEntry(reader: PieceReader, shape: Shape, entries: Map<string, Entry>): void {
  const start = reader.position;
  const isTombstone = reader.uint8() === ENTRY_TOMBSTONE;
  const keyStart = reader.position;
  for (const width of shape.keys) reader.skip(width ?? reader.uint32());
  const bytes = reader.between(keyStart, reader.position);
  const key = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  if (!isTombstone) {
    reader.skip(shape.stampBytes);
    for (const form of shape.values) skipValue(reader, form);
  }
  entries.set(key, { from: reader, start, end: reader.position, isTombstone });
}

function skipValue(reader: PieceReader, form: ValueForm): void {
  switch (form) {
    case 'f64':
    case 'i64':
      return reader.skip(8);
    case 'i32':
      return reader.skip(4);
    case 'u8':
      return reader.skip(1);
    case 'utf8':
      return reader.skip(reader.uint32());
    case 'js':
      reader.skip(1);
      return reader.skip(reader.uint32());
    case 'rows':
      for (let rows = reader.uint32(); rows > 0; rows--) reader.skip(reader.uint32());
      return;
    case 'none':
      return;
  }
}

function writeEntries(
  header: PieceHeader,
  entries: Iterable<Entry>,
  isBase: boolean,
): readonly MergedPiece[] {
  const isChanges = (): boolean => !isBase || merged.length > 0;
  const merged: MergedPiece[] = [];
  let writer: PieceWriter | null = null;
  let count = 0;
  const end = (): void => {
    if (writer === null) return;
    setEntries(writer, count);
    merged.push({ bytes: writer.seal(), isChanges: isChanges() });
    writer = null;
    count = 0;
  };
  for (const { from, start, end: entryEnd, isTombstone } of entries) {
    if (isTombstone && isBase) continue;
    const open: PieceWriter = writer ?? new PieceWriter();
    if (writer === null) writePieceHeader(open, { ...header, isChanges: isChanges() });
    writer = open;
    open.raw(from.between(start, entryEnd));
    count++;
    if (open.length >= PIECE_BYTES) end();
  }
  end();
  return merged;
}
