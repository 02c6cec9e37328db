/**
 * The layouts by which the rows of one stream have been written into state: the one of now, and those of before, which
 * are still there after the schema of the stream has changed, or come from the snapshots of other subtasks. Callers:
 * running joins and the code generated for them. Runs on: the slot's thread. Invariant: each row begins with the id of
 * its layout, so rows stay as they are when a schema changes, and one that is read by code for the layout of now is
 * written anew before, in memory of its own.
 */
import { assert } from '../base/assert.js';
import { MillraceError } from '../base/errors.js';
import { hashText } from '../record/key-hash.js';
import { type Schema, schemaName } from '../record/schema.js';
import { mergeSchemas } from '../record/schema-merge.js';
import { CodeUnit } from './code-unit.js';
import { type RowPlace, storedRow, storeRowCode } from './stored-row.js';
import { type RowLayout, rowLayout } from './stored-row-fields.js';

/** Writes a row of another layout into the memory. */
type Conform = (bytes: Uint8Array, view: DataView, at: number) => void;

/** Memory for one row, which grows to the largest. */
export class RowScratch {
  bytes = new Uint8Array(1024);
  /** Of the row that is there. */
  length = 0;
  view = new DataView(this.bytes.buffer);

  /** Makes room for a row of so many bytes, at offset 0. */
  claim(bytes: number): void {
    if (bytes > this.bytes.length) {
      this.bytes = new Uint8Array(bytes * 2);
      this.view = new DataView(this.bytes.buffer);
    }
    this.bytes.fill(0, 0, bytes);
    this.length = bytes;
  }
}

/** The layouts of a stream's rows. */
export class RowLayouts {
  /** The last row that was written anew. */
  readonly scratch = new RowScratch();
  readonly #schemas = new Map<number, Schema>();
  readonly #conforms = new Map<number, Conform>();
  #schema: Schema | null = null;
  #layout: RowLayout | null = null;

  /** Merged schema of all rows so far; null before the first. */
  get schema(): Schema | null {
    return this.#schema;
  }

  /** How rows are written now. */
  get layout(): RowLayout {
    assert(this.#layout !== null, 'Rows are laid out when their schema is known.');
    return this.#layout;
  }

  /** All schemas by which rows may have been written. */
  get schemas(): readonly Schema[] {
    return [...this.#schemas.values()];
  }

  /** Takes the schema of rows to come; true when code made for the one before is outdated. */
  adopt(schema: Schema): boolean {
    const merged = this.#schema === null ? schema : mergeSchemas(this.#schema, schema);
    if (merged === this.#schema) return false;
    this.#schema = merged;
    this.#layout = rowLayout(merged, this.#know(merged));
    this.#conforms.clear();
    return true;
  }

  /** Takes schemas by which rows that are restored may have been written. */
  restore(schemas: readonly Schema[]): void {
    for (const schema of schemas) {
      this.#know(schema);
      this.adopt(schema);
    }
  }

  /** The id of a schema's layout. */
  #know(schema: Schema): number {
    const text = JSON.stringify(schema);
    const id = hashText(text);
    const known = this.#schemas.get(id);
    if (known !== undefined && JSON.stringify(known) !== text) throw sameId(known, schema);
    this.#schemas.set(id, schema);
    return id;
  }

  /** Writes a row that is not of the layout of now into `scratch`. */
  conform(bytes: Uint8Array, view: DataView, at: number): void {
    const id = view.getInt32(at, true);
    let write = this.#conforms.get(id);
    if (write === undefined) {
      const schema = this.#schemas.get(id);
      assert(schema !== undefined, 'A row was written by a layout that is known.');
      write = compileConform(rowLayout(schema, id), this.layout, this.scratch);
      this.#conforms.set(id, write);
    }
    write(bytes, view, at);
  }
}

/** Code that writes rows of one layout as rows of another, into a scratch. */
function compileConform(from: RowLayout, to: RowLayout, scratch: RowScratch): Conform {
  const unit = new CodeUnit();
  const [bytes, view, at] = ['bytes', 'view', 'at'].map((hint) => unit.fresh(hint));
  const row = storedRow(unit, from, { time: null, kind: null }, { bytes, view, at });
  const target = unit.constant(scratch, 'scratch');
  const claim = (size: string): RowPlace => {
    unit.body.line(`${target}.claim(${size});`);
    return { bytes: `${target}.bytes`, view: `${target}.view`, at: '0' };
  };
  storeRowCode(unit, to, row, claim, unit.body);
  const code = unit.print('conformRow', `${bytes}, ${view}, ${at}`, 'undefined');
  return unit.compile(code, 'millrace:conform-row.js') as Conform;
}

function sameId(a: Schema, b: Schema): MillraceError {
  return new MillraceError(
    'SCHEMA_CONFLICT',
    `Rows of ${schemaName(a)} cannot be told from rows of ${schemaName(b)} in state.`,
    { advice: 'Rename a field of the stream; their names come to the same number by chance.' },
  );
}
