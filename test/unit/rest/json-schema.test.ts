import { describe, expect, it } from 'vitest';
import {
  integer,
  list,
  map,
  nullable,
  object,
  oneOf,
  text,
} from '../../../src/rest/json-schema.js';
import { mismatch } from './schema-check.js';

const person = object(
  { name: text({ pattern: '^[a-z]+$' }), ages: list(integer()) },
  { kind: oneOf('a', 'b'), extra: nullable(map(text())) },
);

describe('schemas', () => {
  it.each([
    [{ name: 'x', ages: [] }, null],
    [{ name: 'x', ages: [1], kind: 'b', extra: null }, null],
    [{ name: 'x', ages: [1], extra: { a: 'b' } }, null],
    [{ name: 'X', ages: [] }, '$.name does not match ^[a-z]+$'],
    [{ name: 'x', ages: [1.5] }, '$.ages[0] is no integer'],
    [{ name: 'x' }, '$ has no ages'],
    [{ name: 'x', ages: [], more: 1 }, '$ has more'],
    [{ name: 'x', ages: [], kind: 'c' }, '$.kind is c'],
    [{ name: 'x', ages: [], extra: { a: 1 } }, '$.extra.a is no string or $.extra is no null'],
    [[], '$ is no object'],
  ])('%j: %s', (value, wrong) => expect(mismatch(person, value)).toBe(wrong));
});
