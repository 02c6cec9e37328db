/**
 * In which form a value is written into the key by which records are sorted. Callers: the graph and the api, for what
 * cannot be sorted; the fragment of sorting. Runs on: any thread; pure. Invariant: a field that becomes wider while a
 * job runs keeps its form, since what was written before is compared with what comes after.
 */
import { MillraceError } from '../base/errors.js';
import { type DataType, formOf, type Schema, typeName } from '../record/schema.js';
import { expressionText } from './expression-text.js';
import { typeOfExpression } from './expression-type.js';
import type { OperatorSpec, SortOrder } from './operator-spec.js';

type SortOperator = Extract<OperatorSpec, { kind: 'sort' }>;

/** How values are written. `none`: there was none but null so far. */
export type SortForm =
  | 'none'
  | 'bool'
  | 'number'
  | 'int64'
  | 'text'
  | 'bytes'
  /** With the digits after the point. */
  | `decimal ${number}`;

/** What records are sorted by: their keys, then what the user named. */
export function sortOrders({ keys, order }: SortOperator): readonly SortOrder[] {
  const byKey = keys.map((name) => ({ by: { node: 'column', name }, descending: false }) as const);
  return [...byKey, ...order];
}

/** The form of what records of a schema are sorted by. Throws FIELD_UNKNOWN and TYPE_MISMATCH. */
export function sortForm(spec: SortOperator, { by }: SortOrder, input: Schema): SortForm {
  const { type } = typeOfExpression(by, input);
  const form = formOfType(type);
  if (form !== null) return form;
  const problem = `${expressionText(by)} is ${typeName(type)}, which has no order`;
  throw new MillraceError('TYPE_MISMATCH', `${problem}, in ${JSON.stringify(spec.name)}.`, {
    where: { operator: spec.name, uid: spec.uid },
    advice: 'Sort by text, numbers, dates, booleans or bytes, such as a field of it.',
  });
}

/** Null for types whose values are not sorted. */
function formOfType(type: DataType): SortForm | null {
  if (type.kind === 'decimal') return `decimal ${type.scale}`;
  if (type.kind === 'null') return 'none';
  if (type.kind === 'any') return null;
  switch (formOf(type)) {
    case 'u8':
      return 'bool';
    case 'i64':
      return 'int64';
    case 'utf8':
      return 'text';
    case 'bytes':
      return 'bytes';
    case 'list':
    case 'struct':
    case 'map':
      return null;
    default:
      return 'number';
  }
}
