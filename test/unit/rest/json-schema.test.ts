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
import { checkValue } from '../../../src/rest/schema-validation.js';
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
  ])('%j: %s', (value, wrong) => {
    expect(mismatch(person, value)).toBe(wrong);
    const check = () => checkValue(person, value, 'body');
    if (wrong === null) expect(check).not.toThrow();
    else expect(check).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }));
  });

  it.each([
    [{ ages: [] }, 'The body has no "name".'],
    [{ name: 'x', ages: [1, 'a'] }, 'The item 1 of the ages of the body must be an integer.'],
    [{ name: 'x', ages: [], kind: 'c' }, 'The kind of the body must be one of a, b.'],
    [{ name: 'x', ages: [], nmae: 1 }, 'There is no member "nmae" in the body.'],
    [{ name: 'x', ages: [], extra: { a: 1 } }, 'The a of the extra of the body must be a string.'],
  ])('%j: %s', (value, message) =>
    expect(() => checkValue(person, value, 'body')).toThrow(message),
  );
});
