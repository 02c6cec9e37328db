/**
 * Reads Parquet columns that are dictionaries and codes, as those of `flights-3m.parquet` are, and leaves them so: the
 * codes of a row group's rows, and a dictionary. Anything else is refused. Callers: `limits/parquet-groupby.mjs`.
 */
import { ThriftReader } from './thrift.mjs';

const [DATA_PAGE, DICTIONARY_PAGE, DATA_PAGE_V2] = [0, 2, 3];
const [RLE_DICTIONARY, PLAIN_DICTIONARY] = [8, 2];
const ZSTD = 6;
const FOOTER_BYTES = 8;

/**
 * A column of a row group.
 *
 * @typedef {{ name: string, start: number, bytes: number, rows: number, codec: number }} ColumnChunk
 */

/**
 * The columns of each row group, from the end of a file.
 *
 * @param {Uint8Array} file
 * @returns {{ rows: number, columns: ColumnChunk[] }[]}
 */
export function rowGroupsOf(file) {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const footer = view.getUint32(file.length - FOOTER_BYTES, true);
  const metadata = new ThriftReader(file, file.length - FOOTER_BYTES - footer).struct();
  return metadata
    .get(4)
    .map((group) => ({ rows: group.get(3), columns: group.get(1).map(chunkOf) }));
}

function chunkOf(column) {
  const about = column.get(3);
  const [name] = about.get(3).map((part) => new TextDecoder().decode(part));
  const pages = [about.get(9), about.get(11)].filter((offset) => offset !== undefined);
  return {
    name,
    start: Math.min(...pages),
    bytes: about.get(7),
    rows: about.get(5),
    codec: about.get(4),
  };
}

/**
 * The codes of a column and the bytes of its dictionary. Rows without a value are refused.
 *
 * @param {Uint8Array} file
 * @param {ColumnChunk} chunk
 * @param {(bytes: Uint8Array, length: number) => Uint8Array} unpack Zstandard
 * @param {Int32Array} codes filled from its start
 * @returns {{ bytes: Uint8Array, entries: number }} the dictionary, values one after the other
 */
export function readCodes(file, chunk, unpack, codes) {
  if (chunk.codec !== ZSTD) throw new Error(`Column ${chunk.name} is not compressed by Zstandard.`);
  const reader = new ThriftReader(file, chunk.start);
  let dictionary = null;
  for (let row = 0; row < chunk.rows; ) {
    const header = reader.struct();
    const body = file.subarray(reader.at, reader.at + header.get(3));
    reader.at += header.get(3);
    if (header.get(1) === DICTIONARY_PAGE) {
      dictionary = { bytes: unpack(body, header.get(2)), entries: header.get(7).get(1) };
      continue;
    }
    const page = pageOf(header, body, unpack, chunk.name);
    readHybrid(page.bytes, page.at + 1, page.bytes[page.at], codes, row, page.rows);
    row += page.rows;
  }
  if (dictionary === null) throw new Error(`Column ${chunk.name} has no dictionary.`);
  return dictionary;
}

/** The bytes of a data page and where its codes start. */
function pageOf(header, body, unpack, name) {
  const bytesMax = header.get(2);
  if (header.get(1) === DATA_PAGE) {
    const about = header.get(5);
    checkEncoding(about.get(2), name);
    const bytes = unpack(body, bytesMax);
    const levels = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
    checkNoNulls(bytes, 4, levels, about.get(1), name);
    return { bytes, at: 4 + levels, rows: about.get(1) };
  }
  if (header.get(1) !== DATA_PAGE_V2) throw new Error(`Column ${name} has a page of unknown type.`);
  const about = header.get(8);
  checkEncoding(about.get(4), name);
  if (about.get(2) !== 0) throw new Error(`Column ${name} has nulls.`);
  const levels = about.get(5) + about.get(6);
  const packed = body.subarray(levels);
  const bytes = about.get(7) === false ? packed : unpack(packed, bytesMax - levels);
  return { bytes, at: 0, rows: about.get(1) };
}

function checkEncoding(encoding, name) {
  if (encoding === RLE_DICTIONARY || encoding === PLAIN_DICTIONARY) return;
  throw new Error(`Column ${name} has pages without a dictionary.`);
}

/** Levels of one bit, of which all must say that there is a value: usually one run of ones. */
function checkNoNulls(bytes, at, length, rows, name) {
  const reader = new ThriftReader(bytes, at);
  const head = reader.varint();
  if (head >>> 1 === rows && (head & 1) === 0 && bytes[reader.at] === 1) return;
  const levels = new Int32Array(rows);
  readHybrid(bytes.subarray(0, at + length), at, 1, levels, 0, rows);
  if (levels.includes(0)) throw new Error(`Column ${name} has nulls.`);
}

/** Parquet's runs of equal and of packed codes. */
function readHybrid(bytes, start, width, codes, from, count) {
  const mask = width === 32 ? -1 : 2 ** width - 1;
  const valueBytes = (width + 7) >> 3;
  const reader = new ThriftReader(bytes, start);
  let row = from;
  const end = from + count;
  while (row < end) {
    const head = reader.varint();
    if ((head & 1) === 0) {
      let code = 0;
      for (let byte = 0; byte < valueBytes; byte++) code |= bytes[reader.at++] << (8 * byte);
      const stop = Math.min(end, row + (head >>> 1));
      codes.fill(code, row, stop);
      row = stop;
      continue;
    }
    const packed = (head >>> 1) * 8;
    const stop = Math.min(end, row + packed);
    unpackCodes(bytes, reader.at * 8, width, mask, codes, row, stop);
    reader.at += (head >>> 1) * width;
    row = stop;
  }
}

/** Codes of up to 24 bits, from bit `firstBit` on: four bytes hold one wherever it starts. */
function unpackCodes(bytes, firstBit, width, mask, codes, from, end) {
  if (width > 24) throw new Error('A dictionary has more entries than expected.');
  // Reading behind the end would give no numbers, so the last codes go another way.
  const safe = Math.floor(((bytes.length - 4) * 8 - firstBit) / Math.max(1, width));
  const middle = Math.max(from, Math.min(end, from + safe));
  let bit = firstBit;
  for (let row = from; row < middle; row++) {
    const at = bit >>> 3;
    const word = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
    codes[row] = (word >>> (bit & 7)) & mask;
    bit += width;
  }
  if (middle === end) return;
  const rest = new Uint8Array(bytes.length - (bit >>> 3) + 4);
  rest.set(bytes.subarray(bit >>> 3));
  unpackCodes(rest, bit & 7, width, mask, codes, middle, end);
}
