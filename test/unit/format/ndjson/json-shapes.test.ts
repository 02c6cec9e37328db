import { expect, it } from 'vitest';
import { JsonShapes } from '../../../../src/format/ndjson/json-shapes.js';

it('keeps the first value of each shape', () => {
  const shapes = new JsonShapes();
  const different = [{ a: 1 }, { a: 'x' }, { b: 1 }, { a: 1, b: 1 }, { b: 1, a: 1 }, { a: null }];
  const nested = [{ a: [1] }, { a: [1, 'x'] }, { a: { b: 1 } }, { a: {} }, { 'a=number;1:b': 1 }];
  for (const value of [...different, { a: 2 }, ...nested, { a: { b: 2 } }, { b: 3, a: 4 }]) {
    shapes.add(value);
  }
  expect(shapes.examples).toEqual([...different, ...nested]);
});
