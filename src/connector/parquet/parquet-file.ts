/**
 * An open Parquet file: its handle, its footer, and its columns as a tree. Callers: planning and
 * readers of the Parquet source. Runs on: any thread. Invariant: every error that comes out of here
 * names the file.
 */
import type { Disk, FileHandle } from '../../base/disk.js';
import { MillraceError } from '../../base/errors.js';
import { readFileMetadata } from '../../format/parquet/file-metadata.js';
import type { TypeOptions } from '../../format/parquet/leaf-type.js';
import type { FileMetadata } from '../../format/parquet/parquet-types.js';
import { type SchemaNode, schemaTree } from '../../format/parquet/schema-tree.js';

/** A file and what its footer says. */
export interface ParquetFile {
  readonly path: string;
  readonly handle: FileHandle;
  readonly bytes: number;
  readonly metadata: FileMetadata;
  readonly nodes: readonly SchemaNode[];
}

/** Opens a file and reads its footer. */
export function openParquetFile(disk: Disk, path: string, options: TypeOptions): ParquetFile {
  const handle = disk.openRead(path);
  try {
    return inFile(path, () => {
      const metadata = readFileMetadata(handle);
      const nodes = schemaTree(metadata.schema, options);
      return { path, handle, bytes: handle.bytes(), metadata, nodes };
    });
  } catch (error) {
    handle.close();
    throw error;
  }
}

/** Runs an action; its errors learn in which file they happened. */
export function inFile<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw MillraceError.is(error) ? error.at({ file: path }) : error;
  }
}
