/**
 * Where the parts of a run file are: a header with the id of the file, blocks of sorted entries, an index with the
 * first key of every block, a filter if there is one, and a footer that says where those are. Numbers are
 * little-endian. Callers: run writer and reader. Runs on: any thread; pure. Invariant: every byte of a file is covered
 * by a checksum, and every checksum covers the id of the file and the place of what it is about.
 */

/** 'MLRSRUNF' */
export const RUN_MAGIC = 'MLRSRUNF';
export const RUN_VERSION = 1;

/** Header: magic, version, length of the id, checksum, the id. */
export const HEADER_VERSION = 8;
export const HEADER_ID_BYTES = 12;
export const HEADER_CHECKSUM = 16;
export const HEADER_ID = 20;

/** In front of every block: how its content is stored, and a checksum over both. */
export const BLOCK_STORED_BYTES = 0;
export const BLOCK_CONTENT_BYTES = 4;
export const BLOCK_ENTRIES = 8;
export const BLOCK_CODEC = 12;
export const BLOCK_CHECKSUM = 16;
export const BLOCK_HEADER_BYTES = 20;

/** How a block is stored. */
export const CODEC_NONE = 0;
export const CODEC_LZ4 = 1;

/** Footer: offsets are 8 bytes each (float64). */
export const FOOTER_INDEX_OFFSET = 0;
export const FOOTER_FILTER_OFFSET = 8;
export const FOOTER_ENTRIES = 16;
export const FOOTER_TOMBSTONES = 24;
export const FOOTER_BLOCKS = 32;
export const FOOTER_CHECKSUM = 36;
export const FOOTER_BYTES = 40;

/**
 * A block is entries one after the other, then the offset of every sixteenth of them, then how many offsets. An entry
 * is the length of its key, the length of its value plus one (0 for a tombstone), key and value; lengths are 7 bits a
 * byte.
 */
export const RESTART_ENTRIES = 16;
