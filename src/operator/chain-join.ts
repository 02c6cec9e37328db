/**
 * A running join of two keyed sides: the rows of each side by key, as bytes of the fields that results need, and the
 * pairs of a row that outputs had no room for. Callers: generated code and the chain task. Runs on: the slot's thread.
 * Invariant: while pairs of a row wait, no other row is taken, so that positions of rows stay good.
 */
import { deserialize, serialize } from 'node:v8';
import { assert } from '../base/assert.js';
import { MillraceError } from '../base/errors.js';
import { type DataType, type Field, fieldIndex, type Schema } from '../record/schema.js';
import { sameType } from '../record/schema-merge.js';
import type { StateTable, TableSpec } from '../state/contract.js';
import { type SnapshotScope, type StateWriter, writtenAtOnce } from '../state/state-writer.js';
import { loadTable, TableWriter } from '../state/table-snapshot.js';
import { keyFields, unknownField } from './aggregate-fields.js';
import { keyTable } from './aggregate-tables.js';
import type { ChainErrors } from './chain-errors.js';
import type { SnapshotSource } from './contract.js';
import { tableKeyType } from './key-code.js';
import { joinFields } from './operator-fields.js';
import { withoutKey } from './operator-schema.js';
import type { InputSide } from './operator-sides.js';
import type { OperatorSpec } from './operator-spec.js';
import { RowLayouts } from './row-layouts.js';

/** The operator that joins. */
export type JoinOperator = Extract<OperatorSpec, { kind: 'join' }>;

/** Names of the pieces of a snapshot: what the rows are, and the rows themselves. */
const HEADER = 'join';
const TABLE = 'rows';
const SIDES = [0, 1] as const;

/** What the header holds. */
interface JoinHeader {
  readonly keys: readonly DataType[];
  /** By side: the schemas by which rows may have been written. */
  readonly schemas: readonly (readonly Schema[])[];
}

/** What a join needs from the task. */
export interface JoinRunParts {
  readonly operator: number;
  readonly spec: JoinOperator;
  readonly openTable: (uid: string, spec: TableSpec) => StateTable;
  readonly errors: ChainErrors;
}

/** A join in one subtask. */
export class JoinRun {
  readonly operator: number;
  readonly spec: JoinOperator;
  /** By side: how its rows are written. */
  readonly layouts: readonly [RowLayouts, RowLayouts] = [new RowLayouts(), new RowLayouts()];
  /** Positions of the rows of the other side that the row at hand is paired with: `count` of them, from `at` on. */
  partners = new Int32Array(64);
  count = 0;
  at = 0;
  /** The row at hand, whose pairs wait: its side, its position, and the marks it came with. */
  side: InputSide = 0;
  position = 0;
  // No small number, as times are none: V8 gives objects whose numbers grow another shape.
  time = Number.NaN;
  kind = 0;
  row = -1;
  readonly #parts: JoinRunParts;
  #table: StateTable | null = null;
  #isRestored = false;

  constructor(parts: JoinRunParts) {
    this.#parts = parts;
    this.operator = parts.operator;
    this.spec = parts.spec;
  }

  /** Takes the schema of a side's records to come; true when code made for the one before is outdated. */
  adopt(side: InputSide, schema: Schema): boolean {
    const { name, keys } = this.spec;
    this.#bindKeys(keyFields(name, keys[side], schema).map(({ type }) => tableKeyType(type)));
    return this.layouts[side].adopt(this.#kept(side, schema));
  }

  /** Whether everything of a side's records is kept. */
  keepsAll(side: InputSide): boolean {
    const { schema } = this.layouts[side];
    const isWhole = this.spec.columns === null && schema !== null && schema.shape !== 'object';
    return isWhole || joinFields(this.spec, side) === null;
  }

  /** What is kept of a side's records. */
  #kept(side: InputSide, input: Schema): Schema {
    const { name: operator, columns } = this.spec;
    const read = joinFields(this.spec, side);
    if (read === null || (columns === null && input.shape !== 'object')) return withoutKey(input);
    const missing = read.find((name) => fieldIndex(input, name) < 0);
    if (columns !== null && missing !== undefined) throw unknownField(operator, missing, input);
    return { ...input, fields: input.fields.filter(({ name }) => read.includes(name)) };
  }

  /** Opens the table for keys of these types, which must be those that it has. */
  #bindKeys(types: readonly DataType[]): void {
    const known = this.#table?.spec.keys;
    if (known === undefined) {
      this.#table = this.#open(types);
      return;
    }
    const isSame = (type: DataType, at: number): boolean => sameType(type, types[at]);
    if (known.length === types.length && known.every(isSame)) return;
    const text = (all: readonly DataType[]): string => all.map(({ kind }) => kind).join(', ');
    const [was, is] = [`keys (${text(known)})`, `keys (${text(types)})`];
    throw this.#parts.errors.stateConflict(this.operator, was, is, this.#isRestored);
  }

  #open(types: readonly DataType[]): StateTable {
    const columns = SIDES.map((side) => ({ name: String(side), form: 'rows' as const }));
    const table = keyTable(TABLE, [], columns);
    const spec = { ...table, keys: types, isPacked: true, isEvictable: true };
    return this.#parts.openTable(this.spec.uid, spec);
  }

  /** The table of the rows of both sides by key. */
  get table(): StateTable {
    assert(this.#table !== null, 'A join knows the types of its keys before its first row.');
    return this.#table;
  }

  /** The schema of chosen fields; null when a function makes the results, or a side has had no record yet. */
  get resultSchema(): Schema | null {
    const { columns } = this.spec;
    const [left, right] = this.layouts.map(({ schema }) => schema);
    if (columns === null || left === null || right === null) return null;
    const fields = columns.map(({ as, side, name }): Field => {
      const schema = side === 0 ? left : right;
      const field = schema.fields[fieldIndex(schema, name)];
      // Records of several shapes have no fields.
      if (field === undefined) throw unknownField(this.spec.name, name, schema);
      return { ...field, name: as };
    });
    return { shape: 'object', fields };
  }

  /** Puts the rows of a list into `partners`, oldest first, and gives how many there are. */
  begin(newest: number): number {
    const table = this.#table as StateTable;
    let count = 0;
    for (let at = newest; at !== 0; at = table.olderRow(at)) {
      if (count === this.partners.length) this.#growPartners();
      this.partners[count++] = at;
    }
    if (count > 1) this.partners.subarray(0, count).reverse();
    this.at = count;
    this.count = count;
    return count;
  }

  #growPartners(): void {
    const grown = new Int32Array(this.partners.length * 2);
    grown.set(this.partners);
    this.partners = grown;
  }

  /** Puts the pairs aside that the row at `position` has with the partners from `at` on. */
  hold(
    side: InputSide,
    position: number,
    at: number,
    time: number,
    kind: number,
    row: number,
  ): void {
    this.side = side;
    this.position = position;
    this.at = at;
    this.time = time;
    this.kind = kind;
    this.row = row;
  }

  /** The error for an update: a change of an earlier record would need the pairs of the old one taken back. */
  updated(): MillraceError {
    const { name: operator, uid } = this.spec;
    return new MillraceError(
      'FEATURE_UNSUPPORTED',
      `"${operator}" was given an update of an earlier record; ` +
        'it joins records that stay as they are.',
      {
        where: { operator, uid },
        advice: "Give its input { emit: 'final' }, or join before the aggregation.",
      },
    );
  }

  /** Whether pairs wait. */
  get isWaiting(): boolean {
    return this.at < this.count;
  }

  /** Freezes the rows. */
  beginSnapshot(scope: SnapshotScope): readonly StateWriter[] {
    const table = this.#table;
    if (table === null) return [];
    assert(!this.isWaiting, 'Pairs are handed on before the barrier.');
    const { uid } = this.spec;
    const schemas = this.layouts.map((layouts) => layouts.schemas);
    const header: JoinHeader = { keys: table.spec.keys, schemas };
    return [
      writtenAtOnce((sink) => sink.put(uid, HEADER, -1, serialize(header), false)),
      new TableWriter(uid, table, scope),
    ];
  }

  restore(source: SnapshotSource): void {
    const { uid } = this.spec;
    for (const { bytes } of source.get(uid, HEADER)) {
      const { keys, schemas } = deserialize(bytes) as JoinHeader;
      this.#bindKeys(keys);
      this.#isRestored = true;
      for (const side of SIDES) this.layouts[side].restore(schemas[side] ?? []);
    }
    // One that had met no row has no table.
    if (this.#table !== null) loadTable(this.#table, source.get(uid, TABLE));
  }

  /** Frees everything. */
  close(): void {
    this.at = 0;
    this.count = 0;
    this.#table?.clear();
  }
}
