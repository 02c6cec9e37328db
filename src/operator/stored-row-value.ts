/**
 * Rows that operators keep as bytes in their state, as records again, for those who look into a snapshot: without
 * generated code, one field after the other. Callers: `savepoint/`. Runs on: any thread; pure. Invariant: a record is
 * the one that was stored, but for fields that the operator did not keep.
 */
import { deserializeAny } from '../record/any-value.js';
import { setOwn } from '../record/column-value.js';
import { decimalText } from '../record/decimal.js';
import { hashText } from '../record/key-hash.js';
import { type DataType, formOf, type Schema } from '../record/schema.js';
import { ID_BYTES, type RowLayout, rowLayout } from './stored-row-fields.js';
import { storedBytes, storedText } from './stored-row-runtime.js';

const MS_PER_DAY = 86_400_000;

/** Reads rows that were written by one of these schemas; gives null for those of another one. */
export function storedRowReader(schemas: readonly Schema[]): (bytes: Uint8Array) => unknown {
  const layouts = new Map(
    schemas.map((schema) => {
      const id = hashText(JSON.stringify(schema));
      return [id, rowLayout(schema, id)];
    }),
  );
  return (bytes) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const layout = layouts.get(view.getInt32(0, true));
    return layout === undefined ? null : recordOf(layout, bytes, view);
  };
}

function recordOf(layout: RowLayout, bytes: Uint8Array, view: DataView): unknown {
  const { schema } = layout;
  const isSet = (bit: number): boolean =>
    bit >= 0 && (bytes[ID_BYTES + (bit >> 3)] & (1 << (bit & 7))) !== 0;
  const record: Record<string, unknown> = {};
  const values: unknown[] = [];
  for (const stored of layout.fields) {
    const { field, missingBit, nullBit } = stored;
    if (isSet(missingBit)) continue;
    const value =
      field.type.kind === 'null' || isSet(nullBit) ? null : valueOf(layout, stored, bytes, view);
    values.push(value);
    setOwn(record, field.name, value);
  }
  if (schema.shape === 'value') return values[0];
  return schema.shape === 'tuple' ? values : record;
}

function valueOf(
  { fixedBytes }: RowLayout,
  { field, accessor, offset, startsAt }: RowLayout['fields'][number],
  bytes: Uint8Array,
  view: DataView,
): unknown {
  const { type } = field;
  if (accessor !== null) return fixedValue(type, fixedAt(view, accessor, offset));
  const start = startsAt < 0 ? fixedBytes : view.getUint32(startsAt, true);
  const end = view.getUint32(offset, true);
  const form = formOf(type);
  if (form === 'utf8') return storedText(bytes, start, end);
  if (form === 'bytes' && type.kind !== 'any') return storedBytes(bytes, start, end);
  return deserializeAny(bytes, start, end);
}

function fixedAt(view: DataView, accessor: string, offset: number): number | bigint {
  switch (accessor) {
    case 'Float64':
      return view.getFloat64(offset, true);
    case 'BigInt64':
      return view.getBigInt64(offset, true);
    case 'Float32':
      return view.getFloat32(offset, true);
    case 'Int32':
      return view.getInt32(offset, true);
    case 'Uint32':
      return view.getUint32(offset, true);
    default:
      return view.getUint8(offset);
  }
}

function fixedValue(type: DataType, stored: number | bigint): unknown {
  switch (type.kind) {
    case 'bool':
      return stored === 1;
    case 'date':
      return new Date(Number(stored) * MS_PER_DAY);
    case 'timestamp':
      return new Date(Number(stored));
    case 'decimal':
      return decimalText(stored as bigint, type.scale);
    default:
      return stored;
  }
}
