/**
 * What an operator makes of the schema of its input, as far as that is known before running. Callers: graph, api,
 * the chain compiler. Runs on: any thread; pure. Throws FIELD_UNKNOWN, TYPE_MISMATCH and KEY_UNSUPPORTED.
 */
import { MillraceError } from '../base/errors.js';
import type { DataType, Field, Schema } from '../record/schema.js';
import { fieldIndex, typeName } from '../record/schema.js';
import {
  keyFields,
  NUMBER,
  requiredField,
  resultSchema,
  unknownField,
} from './aggregate-fields.js';
import { KEY_FIELD } from './flow-row.js';
import { expressionText } from './expression-text.js';
import { typeOfExpression } from './expression-type.js';
import { isNumberType } from './key-code.js';
import { sortForm, sortOrders } from './sort-form.js';
import type { OperatorIdentity, OperatorSpec } from './operator-spec.js';

/** Schema of an operator's output; null when only running will tell, as for undeclared results of functions. */
export function outputSchemaOf(spec: OperatorSpec, input: Schema | null): Schema | null {
  switch (spec.kind) {
    case 'map':
    case 'flatMap':
    case 'sideOutput':
    case 'asyncWait':
    case 'join':
      return spec.returns;
    case 'process':
      if (input !== null && spec.keys.length === 1) {
        const [keys] = spec.keys;
        if (keys !== null) keyFields(spec.name, keys, input);
      }
      return spec.aggregation === undefined || input === null
        ? spec.returns
        : resultSchema({ ...spec.aggregation, name: spec.name }, input);
    case 'filter':
    case 'loop':
    case 'feedback':
      return input;
    case 'where':
      if (input !== null) checkPredicate(spec, input);
      return input;
    case 'assignTimestamps':
      if (input !== null) checkTimestamp(spec, input);
      return input;
    case 'select':
      return input === null ? null : selectSchema(spec, input);
    case 'explode':
      return input === null ? null : explodeSchema(spec, input);
    case 'computeKey':
    case 'reduce':
      if (spec.kind === 'reduce' && input !== null) keyFields(spec.name, spec.keys, input);
      return null;
    case 'aggregate':
      return input === null || spec.phase === 'partial' ? null : resultSchema(spec, input);
    case 'top':
      return input === null ? null : topSchema(spec, input);
    case 'sort':
      if (input === null) return null;
      keyFields(spec.name, spec.keys, input);
      for (const order of sortOrders(spec)) sortForm(spec, order, input);
      return withoutKey(input);
    case 'distinct':
      if (input === null) return null;
      keyFields(spec.name, spec.keys, input);
      return withoutKey(input);
  }
}

/** The records that are ranked, with their ranks. */
export function topSchema(spec: Extract<OperatorSpec, { kind: 'top' }>, input: Schema): Schema {
  const { name: operator, rank, order } = spec;
  keyFields(operator, spec.keys, input);
  const records = withoutKey(input);
  for (const { name } of order) {
    if (fieldIndex(records, name) < 0) throw unknownField(operator, name, records);
    const column = { node: 'column', name } as const;
    typeOfExpression({ node: 'call', fn: 'gt', args: [column, column] }, records);
  }
  if (rank === null) return records;
  if (fieldIndex(records, rank) >= 0) {
    throw new MillraceError('OPTION_INVALID', `Records of "${operator}" have a field "${rank}".`, {
      where: { operator, uid: spec.uid, field: rank },
      advice: "Call the rank by another name, as in { rank: 'place' }.",
    });
  }
  return { shape: 'object', fields: [...records.fields, requiredField(rank, NUMBER)] };
}

function checkPredicate(spec: Extract<OperatorSpec, { kind: 'where' }>, input: Schema): void {
  const { type } = typeOfExpression(spec.predicate, input);
  if (type.kind === 'bool' || type.kind === 'null') return;
  throw new MillraceError(
    'TYPE_MISMATCH',
    `The predicate of ${JSON.stringify(spec.name)} is ${typeName(type)}, not bool.`,
    { where: { operator: spec.name, uid: spec.uid }, advice: 'Compare it, as in col("n").gt(0).' },
  );
}

function checkTimestamp(
  spec: Extract<OperatorSpec, { kind: 'assignTimestamps' }>,
  input: Schema,
): void {
  if (spec.timestamp.from !== 'expression') return;
  checkTimestampType(spec, typeOfExpression(spec.timestamp.expression, input).type);
}

/** Throws TYPE_MISMATCH unless values of a type can be event times. */
export function checkTimestampType(spec: OperatorIdentity, type: DataType): void {
  if (TIME_KINDS.has(type.kind) || isNumberType(type)) return;
  throw new MillraceError(
    'TYPE_MISMATCH',
    `The event time of ${JSON.stringify(spec.name)} is ${typeName(type)}; it can be a timestamp, ` +
      'a date, or a number of milliseconds since the epoch.',
    {
      where: { operator: spec.name, uid: spec.uid },
      advice: "Cast it, as in col('at').cast('timestamp'), or give a function of the record.",
    },
  );
}

const TIME_KINDS: ReadonlySet<DataType['kind']> = new Set(['timestamp', 'date', 'int64']);

/** A schema without the field of a computed key, which records do not have. */
export function withoutKey(schema: Schema): Schema {
  if (!schema.fields.some((field) => field.name === KEY_FIELD)) return schema;
  return {
    shape: schema.shape,
    fields: schema.fields.filter((field) => field.name !== KEY_FIELD),
  };
}

/** A schema with the field of a computed key. */
export function withKey(schema: Schema, key: Field): Schema {
  const fields = schema.fields.filter((field) => field.name !== KEY_FIELD);
  return { shape: schema.shape, fields: [...fields, { ...key, name: KEY_FIELD }] };
}

function explodeSchema(spec: Extract<OperatorSpec, { kind: 'explode' }>, input: Schema): Schema {
  const { type } = typeOfExpression(spec.list, input);
  if (type.kind !== 'list') {
    const problem = `${expressionText(spec.list)} is ${typeName(type)}, not a list`;
    throw new MillraceError('TYPE_MISMATCH', `${problem}, in ${JSON.stringify(spec.name)}.`, {
      where: { operator: spec.name, uid: spec.uid, field: spec.as },
      advice: 'Explode a list, such as col("line").split(" "), or use flatMap with a function.',
    });
  }
  const nullable = type.item.nullable || spec.outer;
  const item: Field = { name: spec.as, type: type.item.type, nullable, optional: false };
  const { fields } = withoutKey(input);
  const isNew = !fields.some((field) => field.name === spec.as);
  const kept = fields.map((field) => (field.name === spec.as ? item : field));
  return { shape: 'object', fields: isNew ? [...kept, item] : kept };
}

function selectSchema(
  { columns, keepsOthers }: Extract<OperatorSpec, { kind: 'select' }>,
  input: Schema,
): Schema {
  // A map keeps the place of a field whose value is replaced.
  const fields = new Map<string, Field>(
    keepsOthers ? input.fields.map((field) => [field.name, field]) : [],
  );
  for (const { name, value } of columns) {
    const { type, nullable } = typeOfExpression(value, input);
    fields.set(name, { name, type, nullable, optional: false });
  }
  return { shape: 'object', fields: [...fields.values()] };
}
