/**
 * Schemas of records that functions of a chain make: inferred from the first of them, and widened for those that come
 * and do not fit. Callers: the chain task. Runs on: the slot's thread.
 */
import { inferSchema, inferSlot } from '../record/infer.js';
import type { Schema } from '../record/schema.js';
import { VALUE_FIELD } from '../record/schema.js';
import { mergeSchemas, sameSchema } from '../record/schema-merge.js';
import type { PendingRecords } from './chain-pending.js';
import type { ChainRun } from './chain-run.js';
import { withoutKey } from './operator-schema.js';
import { fitsSlot, widenFor } from './value-fits.js';

/** Pending records looked at when a schema is inferred from them. */
const INFER_RECORDS = 64;

/** A record that did not fit, and what was agreed on for it. */
interface Misfit {
  readonly operator: number;
  readonly record: unknown;
  readonly schema: Schema;
}

/** Settles the schemas of one chain. */
export class RecordSettling {
  readonly #run: ChainRun;
  /** The record that last did not fit, and the schema that was agreed on then. */
  #misfit: Misfit | null = null;

  constructor(run: ChainRun) {
    this.#run = run;
  }

  /**
   * Sees to it that there is a schema for pending records that need one, and that the first of them fits; true when
   * code made before is outdated by that.
   */
  settle(pending: PendingRecords): boolean {
    const run = this.#run;
    const { operator } = pending;
    const { kind } = run.tree.operators[operator].spec;
    if (kind === 'explode' || !run.tree.needsFields(operator)) return false;
    const known = run.recordSchema(operator);
    if (known !== null && !pending.isMisfit) return false;
    const isKey = kind === 'computeKey';
    const values = (isKey ? pending.keys : pending.list).slice(
      pending.index,
      Math.min(pending.count, pending.index + INFER_RECORDS),
    );
    try {
      if (known === null) run.propose(operator, this.#firstSchema(operator, values));
      else this.#widen(pending, known, values[0]);
    } catch (error) {
      throw run.errors.failed(error, operator, -1);
    }
    pending.isMisfit = false;
    return true;
  }

  /** The schema that an operator's records start with. */
  #firstSchema(operator: number, values: readonly unknown[]): Schema {
    const run = this.#run;
    const { kind } = run.tree.operators[operator].spec;
    if (kind === 'computeKey') return keySchema(values);
    const inferred = inferSchema(values);
    // The first result of a reduce is a record as it came in, and the others are meant to be alike.
    const input = run.keyed[operator]?.input ?? null;
    return kind === 'reduce' && input !== null
      ? mergeSchemas(withoutKey(input), inferred)
      : inferred;
  }

  /** Has the schema widened for a record that does not fit it. */
  #widen(pending: PendingRecords, known: Schema, record: unknown): void {
    const run = this.#run;
    const { operator } = pending;
    if (run.isDeclared(operator)) {
      throw run.errors.misfit(operator, known, misfitField(known, record));
    }
    const agreed = run.propose(operator, widenFor(known, record));
    const last = this.#misfit;
    const isAgain = last?.operator === operator && last.record === record;
    if (isAgain && sameSchema(last.schema, agreed)) {
      throw run.errors.misfit(operator, agreed, misfitField(agreed, record));
    }
    this.#misfit = { operator, record, schema: agreed };
  }
}

/** The schema of computed keys: always of one value. */
function keySchema(keys: readonly unknown[]): Schema {
  const [first, ...others] = keys;
  const field = { name: VALUE_FIELD, ...inferSlot(first, '$key'), optional: false };
  let schema: Schema = { shape: 'value', fields: [field] };
  for (const key of others) schema = widenFor(schema, key);
  return schema;
}

/** The name of the first field that does not fit, null when it is the record as a whole. */
function misfitField(schema: Schema, record: unknown): string | null {
  if (schema.shape === 'value' || typeof record !== 'object' || record === null) return null;
  for (const field of schema.fields) {
    const value: unknown = Reflect.get(record, field.name);
    if (value === undefined ? !field.optional : !fitsSlot(value, field)) return field.name;
  }
  const known = new Set(schema.fields.map((field) => field.name));
  return Object.keys(record).find((name) => !known.has(name)) ?? null;
}
