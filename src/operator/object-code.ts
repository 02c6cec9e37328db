/**
 * Code that makes the JavaScript object of a record out of the values of its fields. Callers: rows of generated
 * code, when a user function wants an object. Runs on: worker, when a chain is compiled; pure. Invariant: the
 * object has the shape of the schema; a missing field gives no property; text owns its characters.
 */
import { setOwn } from '../record/column-value.js';
import { decimalText } from '../record/decimal.js';
import type { Field, Schema } from '../record/schema.js';
import { formOf } from '../record/schema.js';
import type { CodeBlock } from './code-block.js';
import type { FieldValue } from './flow-row.js';
import { KEY_FIELD } from './flow-row.js';
import type { CodeUnit } from './code-unit.js';

const IDENTIFIER = /^[A-Za-z_$][A-Za-z0-9_$]*$/;

/** Code of a property access. */
export function memberCode(object: string, name: string): string {
  return IDENTIFIER.test(name) ? `${object}.${name}` : `${object}[${JSON.stringify(name)}]`;
}

/** Code of a property name in an object literal; `__proto__` written plainly would set the prototype. */
export function propertyCode(name: string): string {
  if (name === '__proto__') return '["__proto__"]';
  return IDENTIFIER.test(name) ? name : JSON.stringify(name);
}

/** Code of a value as a record holds it, null and missing included. */
export function recordValueCode(unit: CodeUnit, value: FieldValue): string {
  if (value.object !== undefined) return value.object;
  const plain = presentValueCode(unit, value);
  if (value.isNull === 'false') return plain;
  const missing = value.isMissing;
  const absent = missing === undefined ? 'null' : `${missing} ? undefined : null`;
  return `(${value.isNull} ? ${missing === undefined ? absent : `(${absent})`} : ${plain})`;
}

/** Code of a value that is not null, as a record holds it. */
export function presentValueCode(unit: CodeUnit, value: FieldValue): string {
  if (value.object !== undefined) return value.object;
  switch (value.type.kind) {
    case 'timestamp':
      return `new Date(${value.value})`;
    case 'date':
      return `new Date(${value.value} * 86400000)`;
    case 'decimal': {
      if (formOf(value.type) !== 'i64') return value.value;
      return `${unit.constant(decimalText, 'decimalText')}(${value.value}, ${value.type.scale})`;
    }
    default:
      return value.value;
  }
}

/** Code of the record; statements it needs go to `place`. */
export function objectCode(
  unit: CodeUnit,
  schema: Schema,
  read: (name: string) => FieldValue | null,
  names: readonly string[] | null,
  place: CodeBlock,
): string {
  const valueOf = (field: Field): string => {
    const value = read(field.name);
    return value === null ? 'undefined' : recordValueCode(unit, value);
  };
  if (schema.shape === 'value') return valueOf(schema.fields[0]);
  if (schema.shape === 'tuple') return tupleCode(unit, schema, valueOf, names, place);
  const wanted = names === null ? null : new Set(names);
  const fields = schema.fields.filter(
    (field) => field.name !== KEY_FIELD && (wanted === null || wanted.has(field.name)),
  );
  const present = fields.filter((field) => !field.optional);
  const literal = present.map((field) => `${propertyCode(field.name)}: ${valueOf(field)}`);
  const object = unit.fresh('record');
  place.line(`const ${object} = ${literal.length === 0 ? '{}' : `{ ${literal.join(', ')} }`};`);
  for (const field of fields) {
    if (field.optional) setOptional(unit, object, field, read(field.name), place);
  }
  return object;
}

function setOptional(
  unit: CodeUnit,
  object: string,
  field: Field,
  value: FieldValue | null,
  place: CodeBlock,
): void {
  if (value === null) return;
  const code = recordValueCode(unit, value);
  const set =
    field.name === '__proto__'
      ? `${unit.constant(setOwn, 'setOwn')}(${object}, "__proto__", ${code});`
      : `${memberCode(object, field.name)} = ${code};`;
  place.line(value.isMissing === undefined ? set : `if (!${value.isMissing}) ${set}`);
}

/** An array of the fields; trailing optional ones that are missing shorten it. */
function tupleCode(
  unit: CodeUnit,
  schema: Schema,
  valueOf: (field: Field) => string,
  names: readonly string[] | null,
  place: CodeBlock,
): string {
  const { fields } = schema;
  const isPlain = names?.every((name) => fields.some((field) => field.name === name)) ?? false;
  const wanted = isPlain ? new Set(names) : null;
  const items = fields.map((field) =>
    wanted === null || wanted.has(field.name) ? valueOf(field) : 'undefined',
  );
  const tuple = unit.fresh('record');
  place.line(`const ${tuple} = [${items.join(', ')}];`);
  const required = fields.findLastIndex((field) => !field.optional) + 1;
  if (wanted === null && required < fields.length) {
    const last = `${tuple}[${tuple}.length - 1]`;
    place.line(`while (${tuple}.length > ${required} && ${last} === undefined) ${tuple}.length--;`);
  }
  return tuple;
}
