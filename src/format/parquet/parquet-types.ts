/**
 * The vocabulary of Parquet's metadata, as far as it is read and written here, under the names and
 * numbers of `parquet.thrift`. Callers: this folder. Runs on: any thread.
 */

export const BOOLEAN = 0;
export const INT32 = 1;
export const INT64 = 2;
export const INT96 = 3;
export const FLOAT = 4;
export const DOUBLE = 5;
export const BYTE_ARRAY = 6;
export const FIXED_LEN_BYTE_ARRAY = 7;

export const REQUIRED = 0;
export const OPTIONAL = 1;
export const REPEATED = 2;

export const ENCODING_PLAIN = 0;
export const ENCODING_PLAIN_DICTIONARY = 2;
export const ENCODING_RLE = 3;
export const ENCODING_DELTA_BINARY_PACKED = 5;
export const ENCODING_DELTA_LENGTH_BYTE_ARRAY = 6;
export const ENCODING_DELTA_BYTE_ARRAY = 7;
export const ENCODING_RLE_DICTIONARY = 8;
export const ENCODING_BYTE_STREAM_SPLIT = 9;

export const CODEC_UNCOMPRESSED = 0;
export const CODEC_SNAPPY = 1;
export const CODEC_GZIP = 2;
export const CODEC_BROTLI = 4;
export const CODEC_LZ4 = 5;
export const CODEC_ZSTD = 6;
export const CODEC_LZ4_RAW = 7;

export const PAGE_DATA = 0;
export const PAGE_DICTIONARY = 2;
export const PAGE_DATA_V2 = 3;

export const CONVERTED_UTF8 = 0;
export const CONVERTED_MAP = 1;
export const CONVERTED_MAP_KEY_VALUE = 2;
export const CONVERTED_LIST = 3;
export const CONVERTED_ENUM = 4;
export const CONVERTED_DECIMAL = 5;
export const CONVERTED_DATE = 6;
export const CONVERTED_TIMESTAMP_MILLIS = 9;
export const CONVERTED_TIMESTAMP_MICROS = 10;
export const CONVERTED_UINT_8 = 11;
export const CONVERTED_UINT_16 = 12;
export const CONVERTED_UINT_32 = 13;
export const CONVERTED_UINT_64 = 14;
export const CONVERTED_INT_8 = 15;
export const CONVERTED_INT_16 = 16;
export const CONVERTED_JSON = 19;

export const LOGICAL_STRING = 1;
export const LOGICAL_MAP = 2;
export const LOGICAL_LIST = 3;
export const LOGICAL_ENUM = 4;
export const LOGICAL_DECIMAL = 5;
export const LOGICAL_DATE = 6;
export const LOGICAL_TIMESTAMP = 8;
export const LOGICAL_INTEGER = 10;
/** A column of nothing but null. */
export const LOGICAL_UNKNOWN = 11;
export const LOGICAL_JSON = 12;
export const LOGICAL_UUID = 14;
export const LOGICAL_FLOAT16 = 15;

export type TimeUnit = 'ms' | 'us' | 'ns';

/** What a column means beyond how it is stored. */
export interface LogicalType {
  /** One of the LOGICAL numbers, or another one that has no meaning here. */
  readonly id: number;
  readonly scale: number;
  readonly precision: number;
  readonly unit: TimeUnit;
  readonly bits: number;
  readonly signed: boolean;
}

/** A node of the schema, in the depth-first list that files hold. */
export interface SchemaElement {
  readonly name: string;
  /** Physical type; null for groups. */
  readonly type: number | null;
  readonly typeLength: number;
  readonly repetition: number;
  readonly children: number;
  readonly converted: number | null;
  readonly scale: number;
  readonly precision: number;
  readonly logical: LogicalType | null;
}

/** The values of one column in one row group. */
export interface ColumnChunk {
  readonly type: number;
  readonly codec: number;
  readonly path: readonly string[];
  readonly values: number;
  /** First byte, of the dictionary page when there is one. */
  readonly start: number;
  readonly compressedBytes: number;
  /** Whether the column's data lies in another file, or is encrypted. */
  readonly elsewhere: boolean;
  readonly encrypted: boolean;
}

/** Some consecutive rows. */
export interface RowGroup {
  readonly rows: number;
  readonly columns: readonly ColumnChunk[];
}

/** What a file's footer says. */
export interface FileMetadata {
  readonly rows: number;
  readonly schema: readonly SchemaElement[];
  readonly rowGroups: readonly RowGroup[];
  readonly createdBy: string | null;
}
