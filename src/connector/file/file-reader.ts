/**
 * Reads splits of files: fills the window, lets the format's parser turn its rows into batches,
 * keeps exact places, reports bad records and widens the schema when rows need it. Callers: the
 * scheduler, through the source contract. Runs on: worker (the slot's thread). Invariant:
 * `rowStarts[i]` is the offset of row i of the batch, so that a split can be resumed before any
 * row.
 */
import { assert } from '../../base/assert.js';
import { MillraceError, toWire } from '../../base/errors.js';
import { formatBytes } from '../../base/units.js';
import {
  PARSE_BAD,
  PARSE_FULL,
  PARSE_MORE,
  ParseCursor,
  type RowParser,
} from '../../format/bytes/row-parser.js';
import type { Batch } from '../../record/batch.js';
import { StructAppender } from '../../record/appenders.js';
import {
  type Appender,
  type BatchBuilder,
  createBatchBuilder,
} from '../../record/batch-builder.js';
import { type FieldTree, partOf, projectedSchema, treeOfPaths } from '../../record/field-tree.js';
import type { Field, Schema } from '../../record/schema.js';
import {
  POLL_BATCH,
  POLL_NEED_SPLIT,
  POLL_WAIT,
  type PlainData,
  type PollResult,
  type ReaderContext,
  type SourceReader,
  type Split,
  type SplitPosition,
} from '../contract.js';
import { ByteWindow, FILL_END, FILL_READY, FILL_TOO_LONG, FILL_WAIT } from './byte-window.js';
import { LineCounter } from './line-counter.js';
import type { FilePlanData } from './file-plan.js';
import { type CodecLibraries, type Encoding, isStream, loadCodecs, openFeed } from './open-feed.js';
import type { FileSplit, RowFormat } from './row-format.js';

/** Input bytes after which a batch is handed on though it has room for more rows. */
const BATCH_INPUT_BYTES = 1024 * 1024;
/** Bytes kept of a row that is too long to be read. */
const LONG_ROW_SHOWN_BYTES = 64 * 1024;

/** What the reader is told besides the contract's context. */
interface FileReaderOptions {
  readonly format: RowFormat;
  readonly encoding: Encoding;
  readonly onError: 'fail' | 'skip';
  readonly rowBytesMax: number;
  readonly libraries: CodecLibraries;
}

/** A split in hand. */
interface Waiting {
  readonly split: Split;
  readonly position: PlainData;
}

/** Opens a reader of a plan's files, with what their compression needs. */
export async function openFileReader(
  context: ReaderContext,
  options: Omit<FileReaderOptions, 'libraries'>,
): Promise<SourceReader> {
  const { codecs } = context.plan.data as FilePlanData;
  const libraries = await loadCodecs(new Set(codecs));
  return new FileReader(context, { ...options, libraries });
}

/** Reads splits of one source. */
class FileReader implements SourceReader {
  readonly #context: ReaderContext;
  readonly #options: FileReaderOptions;
  readonly #window: ByteWindow;
  readonly #cursor = new ParseCursor();
  readonly #lines: LineCounter;
  readonly #waiting: Waiting[] = [];
  readonly #rowStarts: Float64Array;
  readonly #fields: FieldTree;
  #builder: BatchBuilder;
  /** Parsers of the current builder, by header. */
  readonly #parsers = new Map<number, RowParser>();
  #parser: RowParser | null = null;
  #split: Split | null = null;
  #file: FileSplit | null = null;
  /** Whether nothing of the current split is left behind the batch. */
  #finished = false;
  #batch: Batch | null = null;
  #bytesBefore = 0;
  /** Offset in the split of what the batch is read from. */
  #batchStart = 0;

  constructor(context: ReaderContext, options: FileReaderOptions) {
    this.#context = context;
    this.#options = options;
    this.#window = new ByteWindow(options.rowBytesMax);
    this.#lines = new LineCounter(context.disk);
    this.#rowStarts = new Float64Array(context.batchRows);
    this.#fields = treeOfPaths(context.columns, context.paths ?? []);
    const agreed =
      context.schemas.current() ??
      context.schemas.propose(projectedSchema(context.plan.schema, this.#fields));
    this.#builder = this.#createBuilder(agreed.schema, agreed.version);
  }

  get batch(): Batch | null {
    return this.#batch;
  }

  get bytesRead(): number {
    return this.#bytesBefore + this.#window.fileBytesRead;
  }

  get rowsPassed(): number {
    return this.#cursor.passed;
  }

  addSplit(split: Split, position: PlainData): void {
    this.#waiting.push({ split, position });
  }

  poll(): PollResult {
    this.#batch = null;
    this.#builder.reset();
    if (this.#finished) this.#closeSplit();
    this.#batchStart = this.#cursor.base + this.#cursor.position;
    for (;;) {
      if (this.#file === null && !this.#openNext()) return POLL_NEED_SPLIT;
      const result = this.#read();
      if (result !== POLL_NEED_SPLIT) return result;
      this.#closeSplit();
    }
  }

  positions(rows: number = this.#batch?.rows ?? 0): readonly SplitPosition[] {
    const places: SplitPosition[] = [];
    if (this.#split !== null) {
      const isInside = this.#batch !== null && rows < this.#batch.rows;
      const offset = isInside ? this.#rowStarts[rows] : this.#cursor.base + this.#cursor.position;
      if (isInside || !this.#finished) places.push({ split: this.#split, position: offset });
    }
    for (const { split, position } of this.#waiting) {
      places.push({ split, position: position ?? fileOf(split).start });
    }
    return places;
  }

  close(): void {
    this.#closeSplit();
    this.#waiting.length = 0;
  }

  /** Reads on in the current split; `POLL_NEED_SPLIT` when it has ended without another row. */
  #read(): PollResult {
    const cursor = this.#cursor;
    for (;;) {
      assert(this.#parser !== null, 'A split in hand has a parser.');
      switch (this.#parser.parse(this.#window.buffer, this.#window.view, cursor)) {
        case PARSE_MORE: {
          const result = this.#fill();
          if (result !== null) return result;
          break;
        }
        case PARSE_FULL:
          return this.#emit();
        case PARSE_BAD:
          this.#reportBad();
          cursor.position = cursor.rowEnd;
          break;
        default:
          if (this.#builder.rows > 0) return this.#emit();
          this.#widen();
      }
    }
  }

  /** Gets more bytes; null when there are some to parse. */
  #fill(): PollResult | null {
    const cursor = this.#cursor;
    const { rows } = this.#builder;
    // Also where no row was wanted: others in the slot have their turn.
    if (cursor.base + cursor.position - this.#batchStart >= BATCH_INPUT_BYTES) return this.#emit();
    switch (this.#window.fill(cursor)) {
      case FILL_READY:
        return null;
      case FILL_WAIT:
        return rows > 0 ? this.#emit() : POLL_WAIT;
      case FILL_TOO_LONG:
        this.#passLongRow();
        return null;
      case FILL_END:
        this.#finished = true;
        return rows > 0 ? this.#emit() : POLL_NEED_SPLIT;
    }
  }

  #emit(): PollResult {
    this.#batch = this.#builder.take();
    return POLL_BATCH;
  }

  #openNext(): boolean {
    const next = this.#waiting.shift();
    if (next === undefined) return false;
    const { format, encoding, libraries } = this.#options;
    const { disk } = this.#context;
    const file = fileOf(next.split);
    const start = typeof next.position === 'number' ? next.position : file.start;
    const end = file.end ?? Number.POSITIVE_INFINITY;
    const feed = openFeed({
      disk,
      path: file.path,
      codec: file.codec,
      encoding,
      start: Math.min(start, end),
      end,
      libraries,
      wake: () => this.#context.wake(),
    });
    this.#window.open(feed, start, isStream(file.codec, encoding), this.#cursor);
    this.#split = next.split;
    this.#file = file;
    this.#finished = false;
    this.#batchStart = start;
    this.#parser = this.#parserOf(file, format);
    return true;
  }

  #closeSplit(): void {
    this.#bytesBefore += this.#window.fileBytesRead;
    this.#window.close();
    this.#split = null;
    this.#file = null;
    this.#parser = null;
    this.#finished = false;
  }

  #parserOf(file: FileSplit, format: RowFormat): RowParser {
    const known = this.#parsers.get(file.header);
    if (known !== undefined) return known;
    const { schema } = this.#builder;
    const has = new Set(schema.fields.map((field) => field.name));
    const wanted = this.#context.columns?.filter((name) => !has.has(name)) ?? null;
    const { filter = null } = this.#context;
    const options = { builder: this.#builder, rowStarts: this.#rowStarts, wanted, filter };
    const parser = format.createParser(options, this.#context.plan, file);
    this.#parsers.set(file.header, parser);
    return parser;
  }

  #createBuilder(schema: Schema, version: number): BatchBuilder {
    const { batchRows: capacity } = this.#context;
    const options = { capacity, times: false, kinds: false, keepsEntries: true };
    const builder = createBatchBuilder(schema, version, options);
    const { plan } = this.#context;
    for (const column of builder.columns) markParts(column, plan.schema?.fields, this.#fields);
    return builder;
  }

  /** Agrees with the other producers on a schema that the next row fits, and goes on with it. */
  #widen(): void {
    const { proposal } = this.#cursor;
    const { schemas } = this.#context;
    assert(proposal !== null && this.#file !== null, 'A row that does not fit says what it needs.');
    const agreed = schemas.propose(proposal);
    assert(
      agreed.version !== this.#builder.schemaVersion,
      'A row that does not fit changes the schema.',
    );
    this.#builder = this.#createBuilder(agreed.schema, agreed.version);
    this.#parsers.clear();
    this.#parser = this.#parserOf(this.#file, this.#options.format);
  }

  #reportBad(): void {
    const { position, rowEnd, problem, advice, field } = this.#cursor;
    let end = rowEnd;
    if (end > position && this.#window.buffer[end - 1] === 0x0a) end--;
    if (end > position && this.#window.buffer[end - 1] === 0x0d) end--;
    const bytes = new Uint8Array(this.#window.buffer.subarray(position, end));
    this.#report(bytes, problem, advice, field);
  }

  /**
   * A row longer than allowed: passed over where newlines end rows, else nobody knows where it
   * ends.
   */
  #passLongRow(): void {
    const { format, rowBytesMax } = this.#options;
    const problem = `The row is longer than ${formatBytes(rowBytesMax)}.`;
    const row = this.#window.unread(this.#cursor);
    const shown = new Uint8Array(row.subarray(0, LONG_ROW_SHOWN_BYTES));
    if (!format.newlineFramed) {
      throw this.#error(
        `${problem} Most likely a quote is not closed.`,
        'Mend the quote, raise maxRowBytes, or set multiline: false if no field holds a newline.',
        null,
        'RECORD_TOO_LARGE',
      );
    }
    this.#report(shown, problem, 'Raise maxRowBytes.', null);
    this.#window.discardLine(this.#cursor);
  }

  #report(bytes: Uint8Array, problem: string, advice: string, field: string | null): void {
    const error = this.#error(problem, advice, field, 'BAD_RECORD');
    if (this.#options.onError === 'fail') throw error;
    this.#context.badRecord({
      file: error.where.file ?? null,
      line: error.where.line ?? null,
      byteOffset: error.where.byteOffset ?? null,
      bytes,
      error: toWire(error),
    });
  }

  #error(
    problem: string,
    advice: string,
    field: string | null,
    code: 'BAD_RECORD' | 'RECORD_TOO_LARGE',
  ): MillraceError {
    const where = {
      file: this.#file?.path ?? '',
      line: this.#line(),
      byteOffset: this.#cursor.base + this.#cursor.position,
    };
    return new MillraceError(code, problem, {
      where: field === null ? where : { ...where, field },
      advice,
    });
  }

  /** Line of the row at the cursor. */
  #line(): number {
    const { base, position } = this.#cursor;
    const file = this.#file;
    assert(file !== null, 'A row belongs to a split.');
    if (!isStream(file.codec, this.#options.encoding)) {
      return this.#lines.lineAt(file.path, base + position);
    }
    return this.#window.lineAt(position);
  }
}

/** Tells columns of objects that are read in part, as far as what the plan knows of them says. */
function markParts(column: Appender, fields: readonly Field[] | undefined, tree: FieldTree): void {
  const planned = fields?.find(({ name }) => name === column.field.name);
  if (planned?.type.kind !== 'struct' || !(column instanceof StructAppender)) return;
  const part = partOf(planned, tree?.get(column.field.name) ?? null);
  column.isPart = part !== null;
  for (const child of column.children) markParts(child, planned.type.fields, part);
}

function fileOf(split: Split): FileSplit {
  return split.data as FileSplit;
}
