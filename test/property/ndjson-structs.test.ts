import fc from 'fast-check';
import { expect, it } from 'vitest';
import { appendJson } from '../../src/format/ndjson/json-value.js';
import { createAppender } from '../../src/record/appenders.js';
import { valueAt } from '../../src/record/column-value.js';
import type { DataType, Field } from '../../src/record/schema.js';
import { isMarked, markInexact } from './inexact-numbers.js';

const field = (name: string, type: DataType, nullable = false, optional = false): Field => ({
  name,
  type,
  nullable,
  optional,
});

const inner: DataType = {
  kind: 'struct',
  fields: [field('x', { kind: 'number' }, false, true), field('y', { kind: 'utf8' })],
};
const type: DataType = {
  kind: 'struct',
  fields: [
    field('n', { kind: 'number' }),
    field('text', { kind: 'utf8' }, true),
    field('é"', { kind: 'bool' }, false, true),
    field('in', inner, true, true),
    field(
      'list',
      { kind: 'list', item: { type: { kind: 'number' }, nullable: false } },
      false,
      true,
    ),
  ],
};

const text = fc.oneof(
  fc.string({ maxLength: 6 }),
  fc.string({ unit: 'grapheme', maxLength: 6 }),
  fc.constantFrom('"', '\\', '}', ',"n":', '\u007f', 'null'),
);
const scalar = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  text,
  fc.boolean(),
  fc.constant(null),
);
const innerValue = fc.record({ x: fc.integer(), y: text }, { requiredKeys: ['y'] });
const value = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record(
      {
        n: fc.integer(),
        text: fc.option(text),
        'é"': fc.boolean(),
        in: fc.option(innerValue),
        list: fc.array(fc.integer(), { maxLength: 3 }),
      },
      { requiredKeys: ['n', 'text'] },
    ),
  },
  { weight: 2, arbitrary: fc.dictionary(fc.constantFrom('n', 'text', 'in', 'other'), scalar) },
  { weight: 1, arbitrary: scalar },
);

/** JSON of a value with keys in some order, perhaps twice or escaped, with blanks, perhaps damaged. */
const json = fc.tuple(value, fc.infiniteStream(fc.nat(99))).map(([of, stream]) => {
  const draw = () => Number(stream.next().value);
  const blank = () => (draw() < 15 ? ' \t' : '');
  const write = (item: unknown): string => {
    if (typeof item !== 'object' || item === null || Array.isArray(item))
      return JSON.stringify(item);
    let entries = Object.entries(item).map(([name, inside]) => {
      const key =
        draw() < 5
          ? `"\\u00${name.charCodeAt(0).toString(16).padStart(2, '0')}${JSON.stringify(name.slice(1)).slice(1)}`
          : JSON.stringify(name);
      return `${blank()}${key}${blank()}:${blank()}${write(inside)}${blank()}`;
    });
    if (draw() < 10) entries = entries.reverse();
    if (draw() < 10) entries = [...entries, ...entries.slice(0, 1)];
    return `{${entries.join(',')}}`;
  };
  const whole = write(of);
  const at = draw() % (whole.length + 1);
  return draw() < 10 ? whole.slice(0, at) + whole.slice(at + 1) : whole;
});

it('nested objects are what JSON.parse makes of them, or refused, whatever they look like', () => {
  fc.assert(
    fc.property(fc.array(json, { maxLength: 8 }), (texts) => {
      const direct = createAppender(field('s', type), 16);
      const model = createAppender(field('s', type), 16);
      let rows = 0;
      for (const line of texts) {
        const bytes = Buffer.from(`${line}\n`);
        const result = appendJson(direct, rows, bytes, 0, bytes.length - 1);
        // A half of a character that damage left becomes U+FFFD on its way to bytes.
        const parsed = parse(bytes.toString());
        const isSound = parsed !== undefined && !isMarked(parse(markInexact(bytes.toString())));
        const fits = isSound && parsed !== null && model.appendValue(rows, parsed);
        expect(result === 0).toBe(fits);
        if (!fits) {
          direct.truncate(rows);
          model.truncate(rows);
          continue;
        }
        rows++;
      }
      const [got, wanted] = [direct.column(rows), model.column(rows)];
      for (let row = 0; row < rows; row++) expect(valueAt(got, row)).toEqual(valueAt(wanted, row));
    }),
    { numRuns: 1500 },
  );
});

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
