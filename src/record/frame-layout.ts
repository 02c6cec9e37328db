/**
 * Where everything in a frame is. A frame is a header, a directory with one entry per column
 * (system columns first, then the columns of the schema, each followed by its children), and the
 * columns' buffers. Callers: frame codec, tests, tools that look at frames. Runs on: any thread;
 * constants and arithmetic only. Invariant: every buffer but the bytes of texts starts at a multiple
 * of 8 bytes from the start of the frame, so that typed arrays can view it; offsets in a frame are relative to its
 * start, and 0 means that the buffer is absent.
 */

const WORD_BYTES = 4;
/** Alignment of frames and of the buffers in them. */
export const FRAME_ALIGNMENT = 8;

/** Header, in words. */
export const MAGIC_WORD = 0;
export const LAYOUT_WORD = MAGIC_WORD + 1;
/** Bytes of the whole frame, a multiple of the alignment. */
export const BYTES_WORD = LAYOUT_WORD + 1;
export const ROWS_WORD = BYTES_WORD + 1;
export const SCHEMA_VERSION_WORD = ROWS_WORD + 1;
export const FLAGS_WORD = SCHEMA_VERSION_WORD + 1;
/** Entries of the directory. */
export const COLUMNS_WORD = FLAGS_WORD + 1;
export const HEADER_WORDS = COLUMNS_WORD + 2;
export const HEADER_BYTES = HEADER_WORDS * WORD_BYTES;

/**
 * 'MRF1' in the byte order of the machine that wrote it, so that a frame of the other order is
 * refused.
 */
export const FRAME_MAGIC = 0x4d524631;
/** Version of this layout. */
export const FRAME_LAYOUT = 1;

/** Flags: which system columns there are, in this order. */
export const FLAG_TIMES = 1;
export const FLAG_KINDS = 2;

/** Directory entry, in words from its start. */
export const ENTRY_CODING_WORD = 0;
export const ENTRY_ROWS_WORD = ENTRY_CODING_WORD + 1;
/** Entries of a text or bytes column. */
export const ENTRY_ENTRIES_WORD = ENTRY_ROWS_WORD + 1;
export const ENTRY_VALIDITY_WORD = ENTRY_ENTRIES_WORD + 1;
export const ENTRY_PRESENCE_WORD = ENTRY_VALIDITY_WORD + 1;
/** Values, or codes of a dictionary. */
export const ENTRY_VALUES_WORD = ENTRY_PRESENCE_WORD + 1;
/** Offsets of text, bytes, lists and maps. */
export const ENTRY_OFFSETS_WORD = ENTRY_VALUES_WORD + 1;
/** Bytes of text and bytes. */
export const ENTRY_BYTES_WORD = ENTRY_OFFSETS_WORD + 1;
export const ENTRY_WORDS = ENTRY_BYTES_WORD + 1;
export const ENTRY_BYTES = ENTRY_WORDS * WORD_BYTES;

/** The coding word: encoding, kind of text, coding of offsets, eight bits each. */
export const CODING_TEXT_SHIFT = 8;
export const CODING_OFFSETS_SHIFT = 16;
export const CODING_MASK = 0xff;

/** Values as they lie in memory; text without codes. */
export const ENCODING_PLAIN = 0;
/** One value for all rows; text: one entry for all rows. */
export const ENCODING_CONSTANT = 1;
/** A base of 8 bytes, then the values less the base as int8, int16 or int32. */
export const ENCODING_NARROW_8 = 2;
export const ENCODING_NARROW_16 = 3;
export const ENCODING_NARROW_32 = 4;
/** Text: codes as int32, uint8 or uint16, then entries. */
export const ENCODING_DICTIONARY = 5;
export const ENCODING_DICTIONARY_8 = 6;
export const ENCODING_DICTIONARY_16 = 7;
/** Text: codes as int32, then the entries of a plain column, of which the rows are some. */
export const ENCODING_SELECTED = 8;

/** Offsets as int32, one more than entries. */
export const OFFSETS_PLAIN = 0;
/** Lengths as uint8 or uint16, one per entry. */
export const OFFSETS_LENGTHS_8 = 1;
export const OFFSETS_LENGTHS_16 = 2;

/**
 * Most rows of a frame, and of one column that takes no bytes per row (constants, structs without
 * fields): what a damaged frame may make a reader allocate is bounded by this or by the bytes there
 * are.
 */
export const UNBACKED_ROWS_MAX = 1 << 20;

/** `bytes` rounded up to the alignment. */
export function aligned(bytes: number): number {
  return Math.ceil(bytes / FRAME_ALIGNMENT) * FRAME_ALIGNMENT;
}

/** Where the first buffer of a frame with this many directory entries may start. */
export function buffersStart(columns: number): number {
  return HEADER_BYTES + columns * ENTRY_BYTES;
}

/** Word of the directory entry at `index`, from the start of the frame. */
export function entryWord(index: number): number {
  return HEADER_WORDS + index * ENTRY_WORDS;
}
