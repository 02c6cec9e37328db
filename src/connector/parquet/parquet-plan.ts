/**
 * Plans the reading of Parquet files: merges the schemas of their footers and cuts them into
 * splits, a row group each, or pieces of row groups when there are fewer of them than subtasks.
 * Callers: `parquet-source.ts`. Runs on: the caller's thread, before the job starts. Invariant:
 * every row lies in exactly one split.
 */
import { MillraceError } from '../../base/errors.js';
import { didYouMean } from '../../base/nearest-name.js';
import { CODEC_ZSTD, type RowGroup } from '../../format/parquet/parquet-types.js';
import { schemaOfTree } from '../../format/parquet/schema-tree.js';
import { typeOfBoth } from '../../format/parquet/widened-cursor.js';
import type { Field, Schema } from '../../record/schema.js';
import { typeName } from '../../record/schema.js';
import type { PlanContext, SourcePlan, Split } from '../contract.js';
import { type InputFile, resolveFiles } from '../file/resolve-files.js';
import { openParquetFile, type ParquetFile } from './parquet-file.js';
import type { ParquetTypes } from './parquet-source.js';

/** Which rows a split is. Plain data. */
export interface ParquetSplit {
  readonly path: string;
  /** Size of the file when it was planned: another size later means that the file was replaced. */
  readonly fileBytes: number;
  readonly rowGroup: number;
  readonly rowStart: number;
  readonly rowEnd: number;
}

/** What travels with the plan besides the splits. Plain data. */
export interface ParquetPlan {
  /** A file that is compressed with Zstandard; null for none. */
  readonly zstdFile: string | null;
}

/** Row groups are not cut into pieces smaller than this. */
const PIECE_ROWS_MIN = 65_536;

/** Plans all files of the patterns. */
export function planParquet(
  patterns: readonly string[],
  types: ParquetTypes,
  context: PlanContext,
): SourcePlan {
  const { disk, baseDirectory, parallelism } = context;
  const inputs = resolveFiles(disk, baseDirectory, patterns);
  const merger = new SchemaMerger();
  const asked = new Set<string>();
  const isBigint = (name: string): boolean => {
    asked.add(name);
    return types.isBigint(name);
  };
  const files = inputs.map((input) => {
    const file = openParquetFile(disk, input.path, { ...types, isBigint });
    file.handle.close();
    merger.add(file, input);
    return { input, file };
  });
  const groups = files.reduce((sum, { file }) => sum + file.metadata.rowGroups.length, 0);
  const piecesWanted = groups === 0 ? 1 : Math.ceil(parallelism / groups);
  checkBigints(asked, types.bigints);
  const compressed = files.find(({ file }) => usesZstd(file));
  const data: ParquetPlan = { zstdFile: compressed?.input.path ?? null };
  return {
    schema: merger.schema(),
    splits: files.flatMap(({ input, file }) => splitsOf(input, file, piecesWanted)),
    bytes: inputs.reduce((sum, input) => sum + input.bytes, 0),
    rows: files.reduce((sum, { file }) => sum + rowsOf(file), 0),
    data,
  };
}

/** A name in the list of the user that no column of 64-bit integers has would be passed over. */
function checkBigints(found: ReadonlySet<string>, wanted: readonly string[]): void {
  const unknown = wanted.find((name) => !found.has(name));
  if (unknown === undefined) return;
  const what = `parquet: bigint names "${unknown}", which is no column of 64-bit integers.`;
  throw new MillraceError('OPTION_INVALID', what, {
    where: { field: unknown },
    advice: didYouMean(unknown, [...found]),
  });
}

function rowsOf({ metadata }: ParquetFile): number {
  return metadata.rowGroups.reduce((sum, group) => sum + group.rows, 0);
}

function usesZstd({ metadata }: ParquetFile): boolean {
  return metadata.rowGroups.some((group) =>
    group.columns.some((column) => column.codec === CODEC_ZSTD),
  );
}

function splitsOf(input: InputFile, file: ParquetFile, piecesWanted: number): readonly Split[] {
  return file.metadata.rowGroups.flatMap((group, rowGroup): readonly Split[] => {
    if (group.rows === 0) return [];
    const pieces = Math.max(1, Math.min(piecesWanted, Math.floor(group.rows / PIECE_ROWS_MIN)));
    const size = Math.ceil(group.rows / pieces);
    return Array.from({ length: pieces }, (_, piece) => {
      const rowStart = piece * size;
      const rowEnd = Math.min(group.rows, rowStart + size);
      const data: ParquetSplit = {
        path: input.path,
        fileBytes: file.bytes,
        rowGroup,
        rowStart,
        rowEnd,
      };
      const id = `${input.name}#${rowGroup}${pieces === 1 ? '' : `.${piece}`}`;
      return { id, bytes: Math.round(bytesOf(group) / pieces), rows: rowEnd - rowStart, data };
    });
  });
}

function bytesOf(group: RowGroup): number {
  return group.columns.reduce((sum, column) => sum + column.compressedBytes, 0);
}

/** A column that all files so far agree on, and the first file that has it. */
interface KnownField {
  readonly field: Field;
  readonly firstFile: string;
  readonly files: number;
}

/**
 * Columns are matched by name; one that some files lack is optional, one of two types is refused.
 */
class SchemaMerger {
  readonly #known = new Map<string, KnownField>();
  #files = 0;

  add(file: ParquetFile, { name: fileName }: InputFile): void {
    this.#files++;
    for (const field of schemaOfTree(file.nodes).fields) {
      const known = this.#known.get(field.name);
      const type = known === undefined ? field.type : typeOfBoth(known.field.type, field.type);
      if (known !== undefined && type === null) throw conflict(known, field, fileName);
      const nullable = field.nullable || known?.field.nullable === true;
      this.#known.set(field.name, {
        field: { ...field, type: type ?? field.type, nullable },
        firstFile: known?.firstFile ?? fileName,
        files: (known?.files ?? 0) + 1,
      });
    }
  }

  schema(): Schema {
    const fields = [...this.#known.values()].map(({ field, files }) => {
      return { ...field, optional: files < this.#files };
    });
    return { shape: 'object', fields };
  }
}

function conflict(known: KnownField, field: Field, fileName: string): MillraceError {
  const { name } = field;
  return new MillraceError(
    'SCHEMA_CONFLICT',
    `Column "${name}" is ${typeName(known.field.type)} in ${known.firstFile} ` +
      `but ${typeName(field.type)} in ${fileName}.`,
    {
      where: { field: name, file: fileName },
      advice: 'Read the files as two sources, cast the column, and union them.',
    },
  );
}
