/**
 * A record that a user function returned, as a row of generated code. Fields are fetched from the object into
 * locals only when somebody asks for them, and each comes with a cheap check that it still is what the schema
 * says. Callers: the chain compiler. Runs on: worker, when a chain is compiled; pure. Invariant: all checks
 * stand before anything that is done with the record, so one that does not fit has had no effect.
 */
import { types } from 'node:util';
import { isPlainObject } from '../record/any-value.js';
import { canonicalDecimal, decimalUnscaled } from '../record/decimal.js';
import type { DataType, Field, Schema } from '../record/schema.js';
import { fieldIndex, formOf } from '../record/schema.js';
import type { FieldValue, FlowRow, RowMarks } from './flow-row.js';
import { KEY_FIELD } from './flow-row.js';
import type { CodeBlock } from './code-block.js';
import type { CodeUnit } from './code-unit.js';
import { memberCode } from './object-code.js';
import { countProperties, fitsType, hasOnly, INTEGER_RANGES } from './value-fits.js';

/** The record `object`, whose fields nobody has asked for. */
export class OpaqueRow implements FlowRow {
  readonly schema: Schema | null = null;
  readonly marks: RowMarks;
  readonly #object: string;

  constructor(object: string, marks: RowMarks) {
    this.#object = object;
    this.marks = marks;
  }

  names(): readonly string[] {
    return [];
  }

  field(_name: string): null {
    return null;
  }

  object(_names: readonly string[] | null, _place: CodeBlock): string {
    return this.#object;
  }

  useAllFields(): void {}
}

/** The record `object` of a known schema. */
export class ObjectRow implements FlowRow {
  readonly schema: Schema;
  readonly marks: RowMarks;
  readonly #unit: CodeUnit;
  readonly #object: string;
  /** Where fields are fetched, before the checks. */
  readonly #fetches: CodeBlock;
  readonly #checks: string[] = [];
  readonly #values = new Map<string, FieldValue>();
  #usesAll = false;

  constructor(unit: CodeUnit, schema: Schema, object: string, marks: RowMarks, fetches: CodeBlock) {
    this.#unit = unit;
    this.schema = schema;
    this.#object = object;
    this.marks = marks;
    this.#fetches = fetches;
  }

  names(): readonly string[] {
    return this.schema.fields.map((field) => field.name);
  }

  field(name: string): FieldValue | null {
    const known = this.#values.get(name);
    if (known !== undefined) return known;
    const index = fieldIndex(this.schema, name);
    if (index < 0) return null;
    const value = this.#fetch(this.schema.fields[index], index);
    this.#values.set(name, value);
    return value;
  }

  object(_names: readonly string[] | null, _place: CodeBlock): string {
    return this.#object;
  }

  useAllFields(): void {
    this.#usesAll = true;
    for (const field of this.schema.fields) this.field(field.name);
  }

  /** The condition under which the record fits, as far as its fields are used; null when it always does. */
  condition(): string | null {
    const { before, after } = this.#shapeChecks();
    const checks = [...before, ...this.#checks, ...after];
    return checks.length === 0 ? null : checks.join(' && ');
  }

  /** Checks of the record as a whole, before and after those of its fields. */
  #shapeChecks(): { readonly before: readonly string[]; readonly after: readonly string[] } {
    const object = this.#object;
    const { shape, fields } = this.schema;
    if (shape === 'value') return { before: [], after: [] };
    if (shape === 'tuple') {
      const before = [`Array.isArray(${object})`, `${object}.length <= ${fields.length}`];
      return { before, after: [] };
    }
    const known = fields.filter((field) => field.name !== KEY_FIELD);
    // A field that must be there tells a record of the right shape; without one the object itself is asked.
    const isTold = known.some((field) => !field.optional && this.#values.has(field.name));
    const isPlain = `${this.#unit.constant(isPlainObject, 'isPlainObject')}(${object})`;
    return {
      before: isTold ? [] : [isPlain],
      after: this.#usesAll ? [this.#noOthers(known)] : [],
    };
  }

  /** True when the object has no property that the schema lacks; counting them is the quick answer. */
  #noOthers(known: readonly Field[]): string {
    const names = this.#unit.constant(new Set(known.map((field) => field.name)), 'knownFields');
    const count = this.#unit.constant(countProperties, 'countProperties');
    const slow = `${this.#unit.constant(hasOnly, 'hasOnly')}(${this.#object}, ${names})`;
    const required = known.filter((field) => !field.optional).length;
    const optional = known.filter((field) => field.optional);
    const present = optional.map((field) => ` + (${this.#local(field)} === undefined ? 0 : 1)`);
    return `(${count}(${this.#object}) === ${required}${present.join('')} || ${slow})`;
  }

  #local(field: Field): string {
    return this.field(field.name)?.object ?? 'undefined';
  }

  #fetch(field: Field, index: number): FieldValue {
    const unit = this.#unit;
    let local = this.#object;
    if (this.schema.shape !== 'value') {
      local = unit.fresh(field.name);
      const read =
        this.schema.shape === 'tuple'
          ? `${this.#object}[${index}]`
          : // Null and undefined have no properties, and fail the check instead.
            memberCode(`${this.#object}?`, field.name).replace('?[', '?.[');
      this.#fetches.line(`const ${local} = ${read};`);
    }
    const stored = this.#stored(field, local);
    const absent = [
      ...(field.nullable ? [`${local} === null`] : []),
      ...(field.optional ? [`${local} === undefined`] : []),
    ];
    const fits = this.#fitsCode(field.type, local, stored);
    const check = [...absent, ...(fits === null ? [] : [fits])].join(' || ');
    if (fits === null && absent.length < 2) {
      // Anything fits `any` but the marks that the field does not allow.
      const nulls = field.nullable ? [] : [`${local} !== null`];
      const missing = field.optional ? [] : [`${local} !== undefined`];
      this.#checks.push([...nulls, ...missing].join(' && '));
    } else if (fits !== null) {
      this.#checks.push(absent.length === 0 ? check : `(${check})`);
    }
    return {
      type: field.type,
      nullable: absent.length > 0,
      value: stored,
      isNull: nullCode(field, local),
      binary: null,
      object: local,
      ...(field.optional ? { isMissing: `(${local} === undefined)` } : {}),
    };
  }

  /** The value as generated code calculates with it. */
  #stored(field: Field, local: string): string {
    const { type } = field;
    if (type.kind === 'timestamp') return `${local}.getTime()`;
    if (type.kind === 'date') return `(${local}.getTime() / 86400000)`;
    if (type.kind !== 'decimal') return local;
    const isShort = formOf(type) === 'i64';
    const convert = isShort
      ? this.#unit.constant(decimalUnscaled, 'decimalUnscaled')
      : this.#unit.constant(canonicalDecimal, 'canonicalDecimal');
    const stored = this.#unit.fresh(`${field.name}_decimal`);
    const call = `${convert}(${local}, ${type.precision}, ${type.scale})`;
    this.#fetches.line(`const ${stored} = typeof ${local} === 'string' ? ${call} : null;`);
    return stored;
  }

  #isDate(): string {
    return this.#unit.constant(types.isDate, 'isDate');
  }

  /** Code that is true when a value that is there fits; null when everything does. */
  #fitsCode(type: DataType, local: string, stored: string): string | null {
    switch (type.kind) {
      case 'any':
        return null;
      case 'null':
        return 'false';
      case 'number':
      case 'float64':
        return `typeof ${local} === 'number'`;
      case 'utf8':
        return `typeof ${local} === 'string'`;
      case 'bool':
        return `typeof ${local} === 'boolean'`;
      case 'timestamp':
        // Dates of other realms are dates too.
        return `(${local} instanceof Date || ${this.#isDate()}(${local}))`;
      case 'decimal':
        return `${stored} !== null`;
      default: {
        const range = INTEGER_RANGES[type.kind];
        if (range !== undefined) {
          const within = `${local} >= ${range[0]} && ${local} <= ${range[1]}`;
          return `(Number.isInteger(${local}) && ${within})`;
        }
        const fits = this.#unit.constant(fitsType, 'fitsType');
        const bound = this.#unit.constant(type, `${type.kind}_type`);
        const isThere = `${local} !== null && ${local} !== undefined`;
        return `(${isThere} && ${fits}(${local}, ${bound}))`;
      }
    }
  }
}

function nullCode(field: Field, local: string): string {
  if (field.nullable && field.optional) return `(${local} === null || ${local} === undefined)`;
  if (field.nullable) return `(${local} === null)`;
  return field.optional ? `(${local} === undefined)` : 'false';
}
