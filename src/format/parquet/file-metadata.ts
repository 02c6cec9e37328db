/**
 * Reads the footer of a Parquet file: its schema, row groups and where their columns are. Callers:
 * the Parquet source. Runs on: any thread. Invariant: metadata that is returned lies inside of the
 * file, so a reader need not check offsets again.
 */
import type { FileHandle } from '../../base/disk.js';
import { corrupt, unsupported } from './corrupt.js';
import type {
  ColumnChunk,
  FileMetadata,
  LogicalType,
  RowGroup,
  SchemaElement,
  TimeUnit,
} from './parquet-types.js';
import { LOGICAL_DECIMAL, LOGICAL_INTEGER, LOGICAL_TIMESTAMP, REQUIRED } from './parquet-types.js';
import { THRIFT_STRUCT, ThriftReader } from './thrift-reader.js';

/** `PAR1` at both ends, and the length of the footer before the second one. */
const MAGIC = 0x31524150;
const MAGIC_ENCRYPTED = 0x45524150;
const TAIL_BYTES = 8;
/** Usual footers are read together with the tail. */
const FIRST_READ_BYTES = 64 * 1024;

/** The metadata of an open file. Throws `FORMAT_INVALID`. */
export function readFileMetadata(file: FileHandle): FileMetadata {
  const bytes = file.bytes();
  if (bytes < TAIL_BYTES + 4) throw corrupt(`A file of ${bytes} bytes is no Parquet file.`, 0);
  let tail = readTail(file, bytes, Math.min(bytes, FIRST_READ_BYTES));
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  const magic = view.getUint32(tail.length - 4, true);
  if (magic === MAGIC_ENCRYPTED) {
    throw unsupported('The file is encrypted.', 'Write it without encryption.');
  }
  if (magic !== MAGIC) {
    throw corrupt('The file does not end with "PAR1", as Parquet files do.', bytes - 4);
  }
  const footerBytes = view.getUint32(tail.length - TAIL_BYTES, true);
  if (footerBytes > bytes - TAIL_BYTES - 4) {
    throw corrupt(`A footer of ${footerBytes} bytes does not fit the file.`, bytes - TAIL_BYTES);
  }
  if (footerBytes + TAIL_BYTES > tail.length) {
    tail = readTail(file, bytes, footerBytes + TAIL_BYTES);
  }
  const end = tail.length - TAIL_BYTES;
  const metadata = parseMetadata(new ThriftReader(tail, end - footerBytes, end));
  checkMetadata(metadata, bytes - TAIL_BYTES - footerBytes);
  return metadata;
}

function readTail(file: FileHandle, fileBytes: number, length: number): Uint8Array {
  const tail = new Uint8Array(length);
  let read = 0;
  while (read < length) {
    const count = file.read(tail, read, length - read, fileBytes - length + read);
    if (count === 0)
      throw corrupt('The file became shorter while it was read.', fileBytes - length);
    read += count;
  }
  return tail;
}

function parseMetadata(reader: ThriftReader): FileMetadata {
  let rows = 0;
  let schema: readonly SchemaElement[] = [];
  let rowGroups: readonly RowGroup[] = [];
  let createdBy: string | null = null;
  reader.struct((id, type) => {
    if (id === 2) schema = reader.list(() => parseElement(reader));
    else if (id === 3) rows = reader.i64();
    else if (id === 4) rowGroups = reader.list(() => parseRowGroup(reader));
    else if (id === 6) createdBy = reader.text();
    else reader.skip(type);
  });
  return { rows, schema, rowGroups, createdBy };
}

function parseElement(reader: ThriftReader): SchemaElement {
  const numbers = new Map<number, number>();
  let name = '';
  let logical: LogicalType | null = null;
  reader.struct((id, type) => {
    if (id === 4) name = reader.text();
    else if (id === 10 && type === THRIFT_STRUCT) logical = parseLogical(reader);
    else if (id <= 8) numbers.set(id, reader.i32());
    else reader.skip(type);
  });
  return {
    name,
    type: numbers.get(1) ?? null,
    typeLength: numbers.get(2) ?? 0,
    repetition: numbers.get(3) ?? REQUIRED,
    children: numbers.get(5) ?? 0,
    converted: numbers.get(6) ?? null,
    scale: numbers.get(7) ?? 0,
    precision: numbers.get(8) ?? 0,
    logical,
  };
}

/** A union: the only field is the type, and its value a struct of parameters. */
function parseLogical(reader: ThriftReader): LogicalType {
  const found = { id: 0, scale: 0, precision: 0, unit: 'us' as TimeUnit, bits: 0, signed: true };
  reader.struct((kind, kindType) => {
    found.id = kind;
    if (kindType !== THRIFT_STRUCT) reader.skip(kindType);
    else reader.struct((id, type) => parseParameter(reader, found, id, type));
  });
  return found;
}

function parseParameter(
  reader: ThriftReader,
  found: {
    id: number;
    scale: number;
    precision: number;
    unit: TimeUnit;
    bits: number;
    signed: boolean;
  },
  id: number,
  type: number,
): void {
  if (found.id === LOGICAL_DECIMAL && id === 1) found.scale = reader.i32();
  else if (found.id === LOGICAL_DECIMAL && id === 2) found.precision = reader.i32();
  else if (found.id === LOGICAL_TIMESTAMP && id === 2) {
    reader.struct((unit, unitType) => {
      found.unit = unit === 1 ? 'ms' : unit === 2 ? 'us' : 'ns';
      reader.skip(unitType);
    });
  } else if (found.id === LOGICAL_INTEGER && id === 1) found.bits = reader.byte();
  else if (found.id === LOGICAL_INTEGER && id === 2) found.signed = reader.bool(type);
  else reader.skip(type);
}

function parseRowGroup(reader: ThriftReader): RowGroup {
  let rows = 0;
  let columns: readonly ColumnChunk[] = [];
  reader.struct((id, type) => {
    if (id === 1) columns = reader.list(() => parseChunk(reader));
    else if (id === 3) rows = reader.i64();
    else reader.skip(type);
  });
  return { rows, columns };
}

function parseChunk(reader: ThriftReader): ColumnChunk {
  let elsewhere = false;
  let encrypted = false;
  let chunk: ColumnChunk | null = null;
  reader.struct((id, type) => {
    if (id === 3) chunk = parseChunkMetadata(reader);
    else {
      if (id === 1) elsewhere = true;
      if (id === 8) encrypted = true;
      reader.skip(type);
    }
  });
  if (chunk === null) throw corrupt('A column has no metadata.', reader.at);
  return { ...(chunk as ColumnChunk), elsewhere, encrypted };
}

function parseChunkMetadata(reader: ThriftReader): ColumnChunk {
  const numbers = new Map<number, number>();
  let path: readonly string[] = [];
  reader.struct((id, type) => {
    if (id === 3) path = reader.list(() => reader.text());
    else if (id === 1 || id === 4 || (id >= 5 && id <= 7) || (id >= 9 && id <= 11)) {
      numbers.set(id, reader.i64());
    } else reader.skip(type);
  });
  const dataStart = numbers.get(9) ?? 0;
  const dictionaryStart = numbers.get(11) ?? 0;
  return {
    type: numbers.get(1) ?? 0,
    codec: numbers.get(4) ?? 0,
    path,
    values: numbers.get(5) ?? 0,
    // Some writers leave the dictionary's offset out, or set it to 0: it comes first all the same.
    start: dictionaryStart > 0 ? Math.min(dictionaryStart, dataStart) : dataStart,
    compressedBytes: numbers.get(7) ?? 0,
    elsewhere: false,
    encrypted: false,
  };
}

function checkMetadata(metadata: FileMetadata, dataEnd: number): void {
  if (metadata.schema.length === 0) throw corrupt('The footer holds no schema.', dataEnd);
  for (const [index, group] of metadata.rowGroups.entries()) {
    const place = `of row group ${index}`;
    if (!Number.isSafeInteger(group.rows) || group.rows < 0) {
      throw corrupt(`The number of rows ${place} is ${group.rows}.`, dataEnd);
    }
    for (const chunk of group.columns) {
      const { start, compressedBytes, values } = chunk;
      const inside = start >= 4 && compressedBytes >= 0 && start + compressedBytes <= dataEnd;
      if ((inside && values >= 0) || chunk.elsewhere || chunk.encrypted) continue;
      const name = chunk.path.join('.');
      throw corrupt(`Column "${name}" ${place} lies outside of the file.`, start);
    }
  }
}
