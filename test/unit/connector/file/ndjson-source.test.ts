import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../../../src/base/errors.js';
import {
  ndjsonSource,
  type NdjsonSourceOptions,
} from '../../../../src/connector/file/ndjson-source.js';
import type { DataType, Schema } from '../../../../src/record/schema.js';
import { schemaName } from '../../../../src/record/schema.js';
import { inMemory, readSource, type ReadResult } from './read-source.js';

async function read(
  content: string | Uint8Array,
  options: NdjsonSourceOptions = {},
  columns: readonly string[] | null = null,
): Promise<ReadResult> {
  return readSource(ndjsonSource('a', options), { ...inMemory({ a: content }), columns });
}

function schemaOf(types: Readonly<Record<string, DataType>>, nullable = false): Schema {
  const fields = Object.entries(types).map(([name, type]) => ({
    name,
    type,
    nullable,
    optional: false,
  }));
  return { shape: 'object', fields };
}

/** The errors of bad rows, each with its place. */
function errorsOf({ bad }: ReadResult): readonly (readonly unknown[])[] {
  return bad.map(({ line, error }) => [line, error.where?.field, error.message.split('\n')[0]]);
}

describe('whole numbers that a double does not hold', () => {
  const WIDE = '9007199254740993';
  const alike = Array.from({ length: 200 }, (_, id) => `{"id":${id}}`);

  it.each([
    ['in a row of the sample', [`{"id":${WIDE}}`], 1],
    ['behind many rows alike', [...alike, `{"id":${WIDE}}`], 201],
    ['where a field is new', ['{}', `{"id":${WIDE}}`], 2],
    ['in an object', [`{"id":{"a":${WIDE}}}`], 1],
    ['in a list', [`{"id":[1,${WIDE}]}`], 1],
    ['in what has no type', ['{"id":"x"}', '{"id":1}', `{"id":${WIDE}}`], 3],
  ])('are bad rows rather than rounded: %s', async (_name, lines, line) => {
    const result = await read(lines.join('\n'), { onError: 'skip', sampleRows: 1 });
    expect(result.bad.map((row) => row.line)).toEqual([line]);
    expect(result.bad[0].error.message).toContain('does not hold exactly');
    expect(result.records).toHaveLength(lines.length - 1);
    expect(JSON.stringify(result.records)).not.toContain('9007199254740992');
  });

  it('are taken where text or a declared type keeps them, or floats were asked for', async () => {
    const content = `{"a":"${WIDE}","i":${WIDE},"f":${WIDE},"l":[${WIDE}],"d":1e300}`;
    const floats = { type: { kind: 'float64' }, nullable: false } as const;
    const schema = schemaOf({
      a: { kind: 'utf8' },
      i: { kind: 'int64' },
      f: { kind: 'float64' },
      l: { kind: 'list', item: floats },
      d: { kind: 'number' },
    });
    const { records } = await read(content, { schema });
    const rounded = Number(WIDE);
    expect(records).toEqual([
      { a: WIDE, i: 9007199254740993n, f: rounded, l: [rounded], d: 1e300 },
    ]);
  });
});

describe('objects within rows', () => {
  const within: DataType = {
    kind: 'struct',
    fields: [
      { name: 'price', type: { kind: 'number' }, nullable: false, optional: false },
      { name: 'url', type: { kind: 'utf8' }, nullable: false, optional: true },
    ],
  };
  const schema = schemaOf({ bid: within });

  it('name the field within that is at fault', async () => {
    const content = [
      '{"bid":{"price":1,"url":"a"}}',
      '{"bid":{"price":"x"}}',
      '{"bid":{"url":"a"}}',
      '{"bid":{"price":1,"colour":2}}',
      '{"bid":7}',
    ].join('\n');
    const result = await read(content, { schema, onError: 'skip' });
    expect(errorsOf(result)).toMatchObject([
      [
        2,
        'bid.price',
        expect.stringContaining('The value "x" of "bid.price" does not fit number.'),
      ],
      [3, 'bid.price', expect.stringContaining('The field "bid.price" is missing')],
      [4, 'bid.colour', expect.stringContaining('The field "bid.colour" is not in the schema.')],
      [5, 'bid', expect.stringContaining('The value 7 of "bid" does not fit')],
    ]);
  });

  it('are checked as far as they are in use, or wholly in full mode', async () => {
    const content = ['{"bid":{"price":1,"url":oops}}', '{"bid":{"url":[1,2],"price":2}}'].join(
      '\n',
    );
    const used = { columns: ['bid'], paths: [['bid', 'price']] };
    const projected = await readSource(ndjsonSource('a', { schema, onError: 'skip' }), {
      ...inMemory({ a: content }),
      ...used,
    });
    expect(projected.records).toEqual([{ bid: { price: 1 } }, { bid: { price: 2 } }]);
    const full = await readSource(
      ndjsonSource('a', { schema, onError: 'skip', validate: 'full' }),
      { ...inMemory({ a: content }), ...used },
    );
    expect(full.records).toEqual([{ bid: { price: 2 } }]);
    expect(errorsOf(full)).toMatchObject([
      [1, undefined, expect.stringContaining('is not valid JSON')],
    ]);
  });

  it.each(['full', 'projected'] as const)(
    'are bad where nothing can walk over them without end (%s)',
    async (validate) => {
      const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
      const rows = [
        '1',
        nested(100_000),
        nested(900),
        '{"b":'.repeat(5000) + '2' + '}'.repeat(5000),
      ];
      const content = rows.map((value) => `{"a":${value}}`).join('\n');
      const source = ndjsonSource('a', { onError: 'skip', validate });
      const read = await readSource(source, inMemory({ a: content }));
      expect(read.records).toEqual([{ a: 1 }, { a: JSON.parse(nested(900)) }]);
      expect(errorsOf(read).map(([line]) => line)).toEqual([2, 4]);
    },
  );

  it('take fields that are not in use as they come, also where the schema is inferred', async () => {
    const content = '{"bid":{"price":1,"url":"a"}}\n{"bid":{"price":null,"url":[1],"more":{}}}\n';
    const { records, schema: read } = await readSource(ndjsonSource('a', { sampleRows: 1 }), {
      ...inMemory({ a: content }),
      columns: ['bid'],
      paths: [['bid', 'price']],
    });
    expect(records).toEqual([{ bid: { price: 1 } }, { bid: { price: null } }]);
    expect(read && schemaName(read)).toBe('{ bid: struct<price: number?> }');
  });
});

describe('rows', () => {
  it('may have blanks, empty lines, a mark, CRLF, and no newline at the end', async () => {
    const content = '\ufeff{"a":1}\r\n\r\n   \n\t{ "a" : 2 }\t\r\n{"a":3}';
    expect((await read(content)).records).toEqual([{ a: 1 }, { a: 2 }, { a: 3 }]);
  });

  it('give the last value of a key that occurs twice', async () => {
    const content = '{"a":1,"b":1}\n{"a":1,"b":1,"a":2}\n{"a":1,"b":1,"\\u0061":3}\n';
    expect((await read(content)).records).toEqual([
      { a: 1, b: 1 },
      { a: 2, b: 1 },
      { a: 3, b: 1 },
    ]);
  });

  it('widen the schema as they need it', async () => {
    const content = '{"a":1}\n{"a":2,"b":true}\n{"a":null}\n{"b":false}\n{"a":"x","c":{"d":[]}}\n';
    const { records, schema } = await read(content, { sampleRows: 1 });
    expect(records).toEqual(
      content
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    );
    expect(schema === null ? '' : schemaName(schema)).toBe(
      '{ a?: any?, b?: bool, c?: struct<d: list<null>> }',
    );
  });

  it('keep keys that reach for the prototype', async () => {
    const { records } = await read('{"__proto__":{"x":1},"constructor":2}\n');
    expect(Object.entries(Object(records[0]))).toEqual([
      ['__proto__', { x: 1 }],
      ['constructor', 2],
    ]);
  });

  it('are read without any wanted field', async () => {
    expect((await read('{"a":1}\n{"a":2}\n', {}, [])).records).toEqual([{}, {}]);
  });
});

describe('bad rows', () => {
  const content = '{"a":1,"x":1}\n{"a":2,"x":tru}\n[1]\n{"a":3\n{"a":-}\n{"a":4,"x":2} 5\n';

  it('are what is framed badly or wrong in wanted fields', async () => {
    const { records, bad } = await read(content, { onError: 'skip', sampleRows: 1 }, ['a']);
    expect(records).toEqual([{ a: 1 }, { a: 2 }]);
    expect(
      bad.map(({ line, byteOffset, bytes }) => [line, byteOffset, Buffer.from(bytes).toString()]),
    ).toEqual([
      [3, 30, '[1]'],
      [4, 34, '{"a":3'],
      [5, 41, '{"a":-}'],
      [6, 49, '{"a":4,"x":2} 5'],
    ]);
    expect(bad[0].error.message).toBe('The row is not a JSON object.');
  });

  it('are all that is not JSON in full mode', async () => {
    const options = { onError: 'skip', validate: 'full', sampleRows: 1 } as const;
    const { records, bad } = await read(content, options, ['a']);
    expect(records).toEqual([{ a: 1 }]);
    expect(bad.length).toBe(5);
  });

  it('are those that are not UTF-8 where it matters', async () => {
    const row = Buffer.concat([
      Buffer.from('{"a":"x","b":"'),
      Buffer.of(0xc3),
      Buffer.from('"}\n{"a":"y","b":"z"}\n'),
    ]);
    const options = {
      onError: 'skip',
      schema: schemaOf({ a: { kind: 'utf8' }, b: { kind: 'utf8' } }),
    } as const;
    expect((await read(row, options, ['a'])).records).toEqual([{ a: 'x' }, { a: 'y' }]);
    expect((await read(row, options, ['b'])).records).toEqual([{ b: 'z' }]);
    expect((await read(row, { ...options, validate: 'full' }, ['a'])).records).toEqual([
      { a: 'y' },
    ]);
  });

  it('are those that do not fit a declared schema', async () => {
    const schema = schemaOf({ a: { kind: 'number' } });
    const { records, bad } = await read('{"a":1,"z":0}\n{"a":"1"}\n{"a":null}\n{}\n', {
      schema,
      onError: 'skip',
    });
    expect(records).toEqual([{ a: 1 }]);
    expect(bad.map(({ error }) => error.message)).toEqual([
      'The value "1" of "a" does not fit number.',
      'The value null of "a" does not fit number.',
      'The field "a" is missing, but the schema requires it.',
    ]);
  });

  it('end the job by default, also when one is too long', async () => {
    const long = `{"a":"${'x'.repeat(600_000)}"}\n{"a":"y"}\n`;
    await expect(read('{"a":1}\nx\n')).rejects.toMatchObject({
      code: 'BAD_RECORD',
      where: { line: 2, byteOffset: 8 },
    });
    await expect(read(long, { maxRowBytes: '300kb' })).rejects.toBeInstanceOf(MillraceError);
    const skipped = await read(long, { maxRowBytes: '300kb', onError: 'skip' });
    expect(skipped.records).toEqual([{ a: 'y' }]);
    expect(skipped.bad.length).toBe(1);
    expect((await read(long)).records.length).toBe(2);
  });
});

describe('declared types', () => {
  it('have a form in JSON', async () => {
    const schema = schemaOf(
      {
        i: { kind: 'int64' },
        d: { kind: 'decimal', precision: 20, scale: 2 },
        t: { kind: 'timestamp' },
        y: { kind: 'date' },
        b: { kind: 'bytes' },
        m: {
          kind: 'map',
          key: { kind: 'utf8' },
          value: { type: { kind: 'int64' }, nullable: true },
        },
        l: { kind: 'list', item: { type: { kind: 'timestamp' }, nullable: false } },
        s: { kind: 'int8' },
      },
      true,
    );
    const rows = [
      '{"i":9007199254740993,"d":"-12.5","t":"2024-01-01T00:00:00Z","y":"2024-01-01","b":"aGk=","m":{"k":1,"n":null},"l":["2024-01-01"],"s":-128}',
      '{"i":"-5","d":7,"t":1000,"y":null,"b":"","m":{},"l":[],"s":0}',
      '{"i":1.5,"d":7,"t":1000,"y":null,"b":"","m":{},"l":[],"s":0}',
      '{"i":1,"d":7,"t":"never","y":null,"b":"","m":{},"l":[],"s":0}',
      '{"i":1,"d":7,"t":0,"y":null,"b":"?","m":{},"l":[],"s":0}',
      '{"i":1,"d":7,"t":0,"y":null,"b":"","m":{},"l":[],"s":128}',
    ];
    const { records, bad } = await read(rows.join('\n'), { schema, onError: 'skip' });
    expect(records).toEqual([
      {
        i: 9007199254740993n,
        d: '-12.50',
        t: new Date('2024-01-01'),
        y: new Date('2024-01-01'),
        b: new Uint8Array([104, 105]),
        m: new Map([
          ['k', 1n],
          ['n', null],
        ]),
        l: [new Date('2024-01-01')],
        s: -128,
      },
      {
        i: -5n,
        d: '7.00',
        t: new Date(1000),
        y: null,
        b: new Uint8Array(),
        m: new Map(),
        l: [],
        s: 0,
      },
    ]);
    expect(bad.map(({ error }) => error.where.field)).toEqual(['i', 't', 'b', 's']);
  });
});

it('learns layouts that change and lack keys, and means the same', async () => {
  const rows = Array.from({ length: 2000 }, (_, index) => {
    const row: Record<string, unknown> = {};
    if (index % 3 !== 0) row.first = index;
    row.id = index;
    if (index % 5 === 0) row.maybe = 'text "quoted"';
    if (index > 1000) row.late = index % 2 === 0 ? { a: [index] } : null;
    return index > 1500 ? Object.fromEntries(Object.entries(row).toReversed()) : row;
  });
  const content = rows.map((row) => JSON.stringify(row)).join('\n');
  for (const validate of ['projected', 'full'] as const) {
    expect((await read(content, { validate })).records).toEqual(rows);
    const wanted = await read(content, { validate }, ['id', 'maybe']);
    expect(wanted.records).toEqual(
      rows.map(({ id, maybe }) => (maybe === undefined ? { id } : { id, maybe })),
    );
  }
});
