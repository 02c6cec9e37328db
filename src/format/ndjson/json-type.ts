/**
 * The type that a JSON value needs, seen against the type its place has so far: null and empty
 * lists say nothing about a type, so they leave the known one alone instead of widening it.
 * Callers: the NDJSON row reader, when a row does not fit. Runs on: worker; pure.
 */
import type { DataType, Field, Slot } from '../../record/schema.js';
import { mergeSlots, NOTHING } from '../../record/schema-merge.js';

/** What a value from `JSON.parse` needs in a place that is `known` so far. */
export function slotForJson(value: unknown, known: Slot | null): Slot {
  if (value === null) return { type: known?.type ?? NOTHING, nullable: true };
  return { type: typeForJson(value, known?.type ?? null), nullable: known?.nullable ?? false };
}

function typeForJson(value: unknown, known: DataType | null): DataType {
  if (Array.isArray(value)) return { kind: 'list', item: itemSlot(value, known) };
  switch (typeof value) {
    case 'number':
      return { kind: 'number' };
    case 'boolean':
      return { kind: 'bool' };
    case 'string':
      return { kind: 'utf8' };
    default:
      return { kind: 'struct', fields: structFields(Object(value), known) };
  }
}

/** The one slot for all items. */
function itemSlot(items: readonly unknown[], known: DataType | null): Slot {
  let slot: Slot | null = known?.kind === 'list' ? known.item : null;
  for (const item of items) {
    if (item === null) continue;
    const needed = slotForJson(item, slot);
    slot = slot === null ? needed : mergeSlots(slot, needed);
  }
  const { type, nullable } = slot ?? { type: NOTHING, nullable: false };
  return { type, nullable: nullable || items.includes(null) };
}

function structFields(
  value: Readonly<Record<string, unknown>>,
  known: DataType | null,
): readonly Field[] {
  const knownFields = known?.kind === 'struct' ? known.fields : [];
  const byName = new Map(knownFields.map((field) => [field.name, field]));
  return Object.entries(value).map(([name, item]): Field => {
    const field = byName.get(name) ?? null;
    return { name, ...slotForJson(item, field), optional: field?.optional ?? false };
  });
}
