/**
 * The file that a slot writes its state into: a header that says what it is, then the pieces one after the other.
 * Checksums of pieces cover who they belong to and where they are, so that bytes which end up in another file, at
 * another offset or under another name are not taken for state. Callers: the writer of slots, readers of checkpoints.
 * Runs on: any thread; pure. Invariant: every byte of the file is covered by the checksum of the header or of a piece.
 */
import { crc32 } from 'node:zlib';
import type { StatePiece } from './contract.js';
import { type StateFileIdentity, stateFileName } from './checkpoint-paths.js';

/** 'MLRSTATE' */
const MAGIC = [0x4d, 0x4c, 0x52, 0x53, 0x54, 0x41, 0x54, 0x45];
const VERSION = 1;
const VERSION_OFFSET = 8;
const SLOT_OFFSET = 12;
const CHECKPOINT_OFFSET = 16;
const ATTEMPT_OFFSET = 24;
const CHECKSUM_OFFSET = 32;
/** A multiple of eight, like the start of the first piece. */
export const STATE_HEADER_BYTES = 40;

export function stateFileHeader(identity: StateFileIdentity): Uint8Array {
  const bytes = new Uint8Array(STATE_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint32(VERSION_OFFSET, VERSION, true);
  view.setUint32(SLOT_OFFSET, identity.slot, true);
  view.setFloat64(CHECKPOINT_OFFSET, identity.checkpoint, true);
  view.setFloat64(ATTEMPT_OFFSET, identity.attempt, true);
  const name = crc32(stateFileName(identity));
  view.setUint32(CHECKSUM_OFFSET, crc32(bytes.subarray(0, CHECKSUM_OFFSET), name), true);
  return bytes;
}

/** What is wrong with the header of the file of this name; null when it is right. */
export function stateHeaderFault(header: Uint8Array, identity: StateFileIdentity): string | null {
  if (header.length < STATE_HEADER_BYTES) return 'The file is cut off.';
  const wanted = stateFileHeader(identity);
  if (wanted.every((byte, at) => header[at] === byte)) return null;
  return `Its header is not that of ${stateFileName(identity)}.`;
}

/** Whose state a piece is. */
export type PieceIdentity = Pick<StatePiece, 'uid' | 'name' | 'keyGroup'>;

/** `file` is the name of the file without its directory. */
export function pieceChecksum(
  { uid, name, keyGroup }: PieceIdentity,
  file: string,
  offset: number,
  bytes: Uint8Array,
): number {
  const identity = JSON.stringify([uid, name, keyGroup, file, offset, bytes.length]);
  return crc32(bytes, crc32(identity));
}
