import { expect, it } from 'vitest';
import { slotForJson } from '../../../../src/format/ndjson/json-type.js';
import { typeName } from '../../../../src/record/schema.js';

const slot = (value: unknown, known: Parameters<typeof slotForJson>[1] = null): string => {
  const { type, nullable } = slotForJson(value, known);
  return typeName(type) + (nullable ? '?' : '');
};

it('types values by what they are', () => {
  expect(slot(1)).toBe('number');
  expect(slot([1, null])).toBe('list<number?>');
  expect(slot([1, 'a'])).toBe('list<any>');
  expect(slot({ a: true, b: ['x'] })).toBe('struct<a: bool, b: list<utf8>>');
  expect(slot([{}, { a: 1 }])).toBe('list<struct<a?: number>>');
});

it('leaves a known type alone where the value says nothing', () => {
  const list = slotForJson([1], null);
  expect(slot(null, list)).toBe('list<number>?');
  expect(slot([], list)).toBe('list<number>');
  expect(slot({ a: null }, slotForJson({ a: 1 }, null))).toBe('struct<a: number?>');
});
