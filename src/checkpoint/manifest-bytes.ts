/**
 * A manifest as the bytes of `_metadata` and back: a header with magic, version and a checksum over everything, then
 * one FlatBuffer. Small pieces of state are within it; the others are named by paths relative to the directory of
 * `_metadata`, so that a checkpoint can be copied. Callers: the store, whoever opens a checkpoint. Runs on: any thread;
 * pure. Invariant: the header never changes its shape, so that every version can tell that a file is of a newer one.
 */
import { posix } from 'node:path';
import { deserialize } from 'node:v8';
import { crc32 } from 'node:zlib';
import { MillraceError } from '../base/errors.js';
import { serializeAny } from '../record/any-value.js';
import { corruptFile } from './checkpoint-errors.js';
import type { CheckpointManifest, SourceProgress, StatePiece } from './contract.js';
import { type FlatRef, FlatTable, FlatWriter } from './flat-table.js';

/** 'MLRCHKPT' */
const MAGIC = [0x4d, 0x4c, 0x52, 0x43, 0x48, 0x4b, 0x50, 0x54];
const VERSION = 1;
const VERSION_OFFSET = 8;
const CHECKSUM_OFFSET = 12;
const BODY_BYTES_OFFSET = 16;
const HEADER_BYTES = 24;

/** In the place of a file's index: the bytes are within the metadata. */
const INLINE = -1;
const FLAG_CHANGES = 1;

type Piece = CheckpointManifest['pieces'][number];

/** The bytes of `_metadata` in `directory`, which, like the paths of the manifest, is relative to the job's. */
export function encodeManifest(manifest: CheckpointManifest, directory: string): Uint8Array {
  const writer = new FlatWriter();
  const body = writer.finish(writeManifest(writer, manifest, directory));
  const bytes = new Uint8Array(HEADER_BYTES + body.length);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint32(VERSION_OFFSET, VERSION, true);
  view.setUint32(BODY_BYTES_OFFSET, body.length, true);
  bytes.set(body, HEADER_BYTES);
  view.setUint32(CHECKSUM_OFFSET, checksumOf(bytes), true);
  return bytes;
}

/**
 * The manifest that these bytes are. `file` is where they are from, for errors; `directory` is the name of its
 * directory, and paths of the manifest become relative to the one above that.
 */
export function decodeManifest(
  bytes: Uint8Array,
  file: string,
  directory: string,
): CheckpointManifest {
  if (bytes.length < HEADER_BYTES) throw corruptFile(file, bytes.length, 'The file is cut off.');
  if (MAGIC.some((byte, at) => bytes[at] !== byte)) {
    throw corruptFile(file, 0, 'It is not the metadata of a checkpoint.');
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = HEADER_BYTES + view.getUint32(BODY_BYTES_OFFSET, true);
  if (end > bytes.length) throw corruptFile(file, bytes.length, 'The file is cut off.');
  if (end < bytes.length) throw corruptFile(file, end, 'The file is longer than it says.');
  if (view.getUint32(CHECKSUM_OFFSET, true) !== checksumOf(bytes)) {
    throw corruptFile(file, CHECKSUM_OFFSET, 'The checksum of its metadata is wrong.');
  }
  const version = view.getUint32(VERSION_OFFSET, true);
  if (version !== VERSION) throw newerVersion(file, version);
  try {
    return readManifest(FlatTable.root(bytes.subarray(HEADER_BYTES)), directory);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw corruptFile(file, HEADER_BYTES, `Its metadata contradicts itself: ${reason}`);
  }
}

/** Over the whole file but itself. */
function checksumOf(bytes: Uint8Array): number {
  return crc32(bytes.subarray(BODY_BYTES_OFFSET), crc32(bytes.subarray(0, CHECKSUM_OFFSET)));
}

function newerVersion(file: string, version: number): MillraceError {
  return new MillraceError(
    'CHECKPOINT_VERSION_UNSUPPORTED',
    `The checkpoint is of format version ${version}; this Millrace knows version ${VERSION}.`,
    { where: { file }, advice: 'Restore it with the version of Millrace that wrote it, or later.' },
  );
}

function writeManifest(writer: FlatWriter, manifest: CheckpointManifest, home: string): FlatRef {
  const value = (each: unknown, what: string): FlatRef =>
    writer.table(writer.bytes(serializeAny(each, what)));
  const files = new Map(manifest.files.map(({ path }, index) => [path, index]));
  return writer.table(
    manifest.id,
    manifest.kind === 'savepoint',
    manifest.timestampMs,
    writer.text(manifest.jobId),
    writer.text(manifest.jobName),
    manifest.attempt,
    writer.list([value(manifest.params, 'params')]),
    writer.list(
      manifest.operators.map((each) =>
        writer.table(
          writer.text(each.uid),
          writer.text(each.name),
          each.parallelism,
          each.maxParallelism,
          each.isFinished,
        ),
      ),
    ),
    writer.list(
      manifest.sources.map(({ uid, plan, progress }) =>
        writer.table(
          writer.text(uid),
          writer.list([value(plan, `plan of ${uid}`)]),
          writer.list(progress.map((each) => value(each, `progress of ${uid}`))),
        ),
      ),
    ),
    writer.list(
      manifest.sinks.map(({ uid, plan, committables }) =>
        writer.table(
          writer.text(uid),
          writer.list([value(plan, `plan of ${uid}`)]),
          writer.list(committables.map((each) => value(each, `committable of ${uid}`))),
        ),
      ),
    ),
    writer.list([writePieces(writer, manifest.pieces, files)]),
    writer.list(
      manifest.files.map(({ path, bytes }) =>
        writer.table(writer.text(posix.relative(home, path)), bytes),
      ),
    ),
  );
}

/** Pieces are columns, since there are thousands of them; each identity is written once. */
function writePieces(
  writer: FlatWriter,
  pieces: readonly Piece[],
  files: ReadonlyMap<string, number>,
): FlatRef {
  const identities = new Map<string, { readonly index: number; readonly piece: Piece }>();
  const identityOf = (piece: Piece): number => {
    const key = JSON.stringify([piece.uid, piece.name]);
    const known = identities.get(key)?.index ?? identities.size;
    identities.set(key, { index: known, piece });
    return known;
  };
  const inline: Uint8Array[] = [];
  let inlineBytes = 0;
  const places = pieces.map(({ at }) => {
    if (!('bytes' in at)) return { ...at, index: files.get(at.file) ?? unlisted(at.file) };
    const offset = inlineBytes;
    inline.push(at.bytes);
    inlineBytes += at.bytes.length;
    return { index: INLINE, offset, length: at.bytes.length, checksum: 0 };
  });
  const identityOfEach = pieces.map(identityOf);
  return writer.table(
    writer.list(
      [...identities.values()].map(({ piece: { uid, name } }) =>
        writer.table(writer.text(uid), writer.text(name)),
      ),
    ),
    writer.int32s(identityOfEach),
    writer.int32s(pieces.map(({ subtask }) => subtask)),
    writer.int32s(pieces.map(({ keyGroup }) => keyGroup)),
    writer.int32s(pieces.map(({ isChanges }) => (isChanges ? FLAG_CHANGES : 0))),
    writer.int32s(places.map(({ index }) => index)),
    writer.doubles(places.map(({ offset }) => offset)),
    writer.doubles(places.map(({ length }) => length)),
    writer.doubles(places.map(({ checksum }) => checksum)),
    writer.bytes(concatenated(inline, inlineBytes)),
  );
}

function unlisted(file: string): never {
  throw new MillraceError('ASSERTION', `The manifest does not list ${file}, where state is.`);
}

function concatenated(parts: readonly Uint8Array[], bytes: number): Uint8Array {
  const all = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function readManifest(table: FlatTable, directory: string): CheckpointManifest {
  const files = table.tables(11).map((file) => {
    return { path: pathWithin(directory, file.text(0)), bytes: file.number(1) };
  });
  return {
    id: table.number(0),
    kind: table.flag(1) ? 'savepoint' : 'checkpoint',
    timestampMs: table.number(2),
    jobId: table.text(3),
    jobName: table.text(4),
    attempt: table.number(5),
    params: valuesOf(table, 6)[0],
    operators: table.tables(7).map((each) => {
      return {
        uid: each.text(0),
        name: each.text(1),
        parallelism: each.number(2),
        maxParallelism: each.number(3),
        isFinished: each.flag(4),
      };
    }),
    sources: table.tables(8).map((each) => {
      const progress = valuesOf(each, 2) as readonly SourceProgress[];
      return { uid: each.text(0), plan: valuesOf(each, 1)[0], progress };
    }),
    sinks: table.tables(9).map((each) => {
      return { uid: each.text(0), plan: valuesOf(each, 1)[0], committables: valuesOf(each, 2) };
    }),
    pieces: table.tables(10).flatMap((pieces) => readPieces(pieces, files)),
    files,
  };
}

/** Paths lead into the directory of the checkpoint or to `shared` beside it, never elsewhere. */
function pathWithin(directory: string, relative: string): string {
  const path = posix.join(directory, relative);
  if (posix.isAbsolute(relative) || path.startsWith('..')) {
    throw new RangeError(`The path ${JSON.stringify(relative)} leads out of its directory.`);
  }
  return path;
}

function readPieces(table: FlatTable, files: CheckpointManifest['files']): readonly Piece[] {
  const identities = table.tables(0).map((each) => {
    return { uid: each.text(0), name: each.text(1) };
  });
  const [identity, subtask, keyGroup, flags, file] = [1, 2, 3, 4, 5].map((at) => table.int32s(at));
  const [offset, length, checksum] = [6, 7, 8].map((at) => table.doubles(at));
  const inline = table.bytes(9);
  const item = (column: readonly number[] | undefined, index: number): number => {
    const found = column?.[index];
    if (found === undefined) throw new RangeError('A column of its pieces is too short.');
    return found;
  };
  const locate = (index: number): StatePiece['at'] => {
    const [at, bytes] = [item(offset, index), item(length, index)];
    if (item(file, index) === INLINE) return { bytes: inline.subarray(at, at + bytes) };
    const path = files[item(file, index)]?.path;
    if (path === undefined) throw new RangeError('A piece is in a file that is not listed.');
    return { file: path, offset: at, length: bytes, checksum: item(checksum, index) };
  };
  return (identity ?? []).map((known, index) => {
    const named = identities[known];
    if (named === undefined) throw new RangeError('A piece has no identity.');
    return {
      ...named,
      keyGroup: item(keyGroup, index),
      isChanges: (item(flags, index) & FLAG_CHANGES) !== 0,
      at: locate(index),
      subtask: item(subtask, index),
    };
  });
}

function valuesOf(table: FlatTable, field: number): readonly unknown[] {
  // A copy of its own for each, which v8 may view.
  return table.tables(field).map((each): unknown => deserialize(each.bytes(0)));
}
