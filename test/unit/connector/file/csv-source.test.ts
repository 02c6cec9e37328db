import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../../../src/base/errors.js';
import { csvSource, type CsvSourceOptions } from '../../../../src/connector/file/csv-source.js';
import { type Schema, schemaName } from '../../../../src/record/schema.js';
import { inMemory, readSource, type ReadResult } from './read-source.js';

async function read(
  content: string | Uint8Array | Readonly<Record<string, string>>,
  options: CsvSourceOptions = {},
  columns: readonly string[] | null = null,
): Promise<ReadResult> {
  const isOne = typeof content === 'string' || content instanceof Uint8Array;
  return readSource(csvSource('*', options), {
    ...inMemory(isOne ? { 'a.csv': content } : content),
    columns,
  });
}

async function failure(attempt: Promise<unknown>): Promise<MillraceError> {
  const error: unknown = await attempt.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof MillraceError) return error;
  throw new Error(`It should have failed with a MillraceError, not ${String(error)}.`);
}

const schemaOf = async (content: string, options: CsvSourceOptions = {}): Promise<string> => {
  const { plan } = await read(content, options);
  return plan.schema === null ? 'none' : schemaName(plan.schema);
};

describe('types', () => {
  it('are inferred from a sample', async () => {
    const content = [
      'n,zip,b,d,t,wide,s,empty',
      '1,01234,true,2024-01-01,2024-01-01,9007199254740993,x,',
      '-2.5e3,99999,FALSE,2024-02-29,2024-01-01T10:00:00+01:00,1,,',
    ].join('\n');
    expect(await schemaOf(content)).toBe(
      '{ n: number, zip: utf8, b: bool, d: date, t: timestamp, wide: int64, s: utf8?, empty: utf8? }',
    );
    const { records } = await read(content);
    expect(records[1]).toEqual({
      n: -2500,
      zip: '99999',
      b: false,
      d: new Date('2024-02-29'),
      t: new Date('2024-01-01T09:00:00Z'),
      wide: 1n,
      s: null,
      empty: null,
    });
    expect(records[0]).toMatchObject({ wide: 9007199254740993n });
  });

  it('that are inferred round no whole number; float64 does', async () => {
    const content = `id\n${'1\n'.repeat(50)}9007199254740993\n"-9007199254740993"\n2\n`;
    const options = { sampleRows: 5, onError: 'skip' } as const;
    const { bad, records } = await read(content, options);
    expect(bad.map(({ line }) => line)).toEqual([52, 53]);
    expect(records).toHaveLength(51);
    const rounded = await read(content, { ...options, types: { id: 'float64' } });
    expect(rounded.records.slice(-3)).toEqual([{ id: 2 ** 53 }, { id: -(2 ** 53) }, { id: 2 }]);
  });

  it.each([
    [{ types: { a: 'int33' as 'int32' } }, 'no type "int33", which "a" has; did you mean "int32"?'],
    [{ types: { a: { kind: 'decimal', precision: 2, scale: 3 } } }, '"a" needs a precision'],
    [{ types: { a: { kind: 'list' } as never } }, 'the type of "a[]" is no object'],
    [{ schema: { a: 'int32' } as never }, 'its shape is none of object, tuple and value'],
    [{ schema: { shape: 'object' } as never }, 'it has no list of fields'],
    [{ header: [] }, 'header is a list'],
    [{ header: 'yes' as never }, 'header is "yes"'],
    [{ skipRows: -1 }, 'skipRows is -1'],
    [{ skipRows: 'x' as never }, 'skipRows is "x"'],
  ] satisfies [CsvSourceOptions, string][])(
    'and options that are none are refused: %o',
    (options, problem) => {
      expect(() => csvSource('a', options)).toThrow(
        expect.objectContaining({
          code: 'OPTION_INVALID',
          message: expect.stringContaining(problem),
        }),
      );
    },
  );

  it('are not looked for in a file that is framed by carriage returns alone', async () => {
    const error = await failure(read('a,b\r1,2\r3,4\r'));
    expect(error).toMatchObject({ code: 'FORMAT_INVALID', where: { byteOffset: 3 } });
    expect((await read('"a\rb"\r\n1\r\n')).records).toEqual([{ 'a\rb': 1 }]);
  });

  it('can be declared for some columns', async () => {
    const types = { a: 'utf8', b: { kind: 'decimal', precision: 10, scale: 2 } } as const;
    const { records } = await read('a,b\n1,2.5\n', { types });
    expect(records).toEqual([{ a: '1', b: '2.50' }]);
    const error = await failure(read('price\n1\n', { types: { prise: 'utf8' } }));
    expect(error).toMatchObject({ code: 'FIELD_UNKNOWN', advice: 'Did you mean "price"?' });
  });

  it('take what JSON can say for nested values and base64 for bytes', async () => {
    const types = {
      l: { kind: 'list', item: { type: { kind: 'number' }, nullable: false } },
      y: 'bytes',
    } as const;
    const { records } = await read('l,y\n"[1,2]",aGk=\n', { types });
    expect(records).toEqual([{ l: [1, 2], y: new Uint8Array([104, 105]) }]);
  });

  it('become nullable when a null comes after the sample', async () => {
    const { records, schema } = await read('a,b\n1,x\n2,y\n,z\n', { sampleRows: 2 });
    expect(records).toEqual([
      { a: 1, b: 'x' },
      { a: 2, b: 'y' },
      { a: null, b: 'z' },
    ]);
    expect(schema === null ? '' : schemaName(schema)).toBe('{ a: number?, b: utf8 }');
  });

  it('of a declared schema bind rows', async () => {
    const schema: Schema = {
      shape: 'object',
      fields: [
        { name: 'b', type: { kind: 'int8' }, nullable: false, optional: false },
        { name: 'c', type: { kind: 'utf8' }, nullable: false, optional: true },
      ],
    };
    const { records, bad } = await read('a,b\n1,2\n3,\n4,300\n', { schema, onError: 'skip' });
    expect(records).toEqual([{ b: 2 }]);
    expect(bad.map(({ error }) => error.message)).toEqual([
      'Column "b" is null, which it must not be.',
      '"300" in column "b" is not of type int8.',
    ]);
    const error = await failure(read('a,bb\n1,2\n', { schema }));
    expect(error.code).toBe('FIELD_UNKNOWN');
  });
});

describe('headers', () => {
  it('may be absent or given', async () => {
    expect((await read('1,x\n2,y\n', { header: false })).records).toEqual([
      { column1: 1, column2: 'x' },
      { column1: 2, column2: 'y' },
    ]);
    expect((await read('1,x\n', { header: ['n', 's'] })).records).toEqual([{ n: 1, s: 'x' }]);
  });

  it('get names that are unique and not empty', async () => {
    const { records } = await read('a,,a,a_2\n1,2,3,4\n');
    expect(records).toEqual([{ a: 1, column2: 2, a_2: 3, a_2_2: 4 }]);
  });

  it('may come after other lines, a byte order mark and comments', async () => {
    const content = '\ufeffexported today\n\n# note\na,b\n1,2\n# "\n3,4\n';
    const { records } = await read(content, { skipRows: 1, comment: '#' });
    expect(records).toEqual([
      { a: 1, b: 2 },
      { a: 3, b: 4 },
    ]);
    expect((await read('\ufeffa\n1\n')).records).toEqual([{ a: 1 }]);
  });

  it('may differ between files', async () => {
    const files = {
      'a.csv': 'id,x\n1,a\n',
      'b.csv': 'y,id\n2.5,2\n',
      'c.csv': '',
      'd.csv': 'id,x\n',
    };
    const { records, plan } = await read(files);
    expect(records).toEqual([
      { id: 1, x: 'a' },
      { y: 2.5, id: 2 },
    ]);
    expect(plan.schema === null ? '' : schemaName(plan.schema)).toBe(
      '{ id: number, x?: utf8, y?: number }',
    );
  });

  it('longer than one read are read', async () => {
    const names = Array.from({ length: 20_000 }, (_, index) => `column_${index}`);
    const { records } = await read(`${names.join(',')}\n${names.map(() => '1').join(',')}\n`, {}, [
      'column_19999',
    ]);
    expect(records).toEqual([{ column_19999: 1 }]);
  });
});

describe('dialects', () => {
  it('have other separators, quotes, escapes, nulls and blanks', async () => {
    const content = "a;b;c\n 1 ; 'x\\'y;' ;NA\n2;'';z\n";
    const options = { separator: ';', quote: "'", escape: '\\', nulls: ['NA'], trim: true };
    expect((await read(content, options)).records).toEqual([
      { a: 1, b: "x'y;", c: null },
      { a: 2, b: '', c: 'z' },
    ]);
  });

  it('may have no quotes at all', async () => {
    expect((await read('a,b\n"x,1\n', { quote: null })).records).toEqual([{ a: '"x', b: 1 }]);
  });

  it('tell an empty text from null by its quotes', async () => {
    expect((await read('s,n\n"",""\n,\nx,1\n')).records).toEqual([
      { s: '', n: null },
      { s: null, n: null },
      { s: 'x', n: 1 },
    ]);
  });

  it('keep an empty line of a file with one column', async () => {
    expect((await read('a\n1\n\n2\n')).records).toEqual([{ a: 1 }, { a: null }, { a: 2 }]);
    expect((await read('a,b\n1,2\n\n3,4\n')).records.length).toBe(2);
  });

  it('are checked', () => {
    const code = (options: CsvSourceOptions): string => {
      try {
        csvSource('a', options);
        return 'none';
      } catch (error) {
        return error instanceof MillraceError ? error.code : 'other';
      }
    };
    expect(code({ separator: ',,' })).toBe('OPTION_INVALID');
    expect(code({ separator: '"' })).toBe('OPTION_INVALID');
    expect(code({ separator: '\t', trim: true })).toBe('OPTION_INVALID');
    expect(code({ trim: 'yes' as never })).toBe('OPTION_INVALID');
    expect(code({ multiline: 1 as never })).toBe('OPTION_INVALID');
    expect(code({ escape: ',' })).toBe('OPTION_INVALID');
    expect(code({ sampleRows: 0 })).toBe('OPTION_INVALID');
    for (const onError of ['ignore', {}, null]) {
      expect(code({ onError: onError as never })).toBe('OPTION_INVALID');
    }
    expect(code({ splitBytes: 'big' })).toBe('UNIT_INVALID');
    const misspelt = { trim: false, seperator: ';' };
    expect(code(misspelt)).toBe('OPTION_UNKNOWN');
    expect(() => csvSource([])).toThrow(/list of paths is empty/);
  });
});

describe('encodings', () => {
  it('include Latin-1, split like any other', async () => {
    const content = Buffer.from('näme,ü\nJürgen,1\n"Zoë ""x""",2\n', 'latin1');
    const { records } = await read(content, { encoding: 'latin1', splitBytes: 1 });
    expect(records).toEqual([
      { näme: 'Jürgen', ü: 1 },
      { näme: 'Zoë "x"', ü: 2 },
    ]);
  });

  it('include UTF-16 with a mark', async () => {
    const content = Buffer.from('\ufeffname,n\nJürgen 😀,1\n', 'utf16le');
    expect((await read(content, { encoding: 'utf16le' })).records).toEqual([
      { name: 'Jürgen 😀', n: 1 },
    ]);
    const lone = Buffer.from('a\n\ud800\n', 'utf16le');
    expect((await failure(read(lone, { encoding: 'utf16le' }))).code).toBe('FORMAT_INVALID');
  });

  it('of UTF-8 are checked in wanted columns, in full mode everywhere', async () => {
    const content = Buffer.concat([
      Buffer.from('a,b\nx,'),
      Buffer.of(0xff),
      Buffer.from('\ny,ok\n'),
    ]);
    const options = { onError: 'skip' } as const;
    expect((await read(content, options, ['b'])).records).toEqual([{ b: 'ok' }]);
    expect((await read(content, options, ['a'])).records).toEqual([{ a: 'x' }, { a: 'y' }]);
    const full = await read(content, { ...options, validate: 'full' }, ['a']);
    expect(full.records).toEqual([{ a: 'y' }]);
    expect(full.bad[0]).toMatchObject({ line: 2, byteOffset: 4 });
  });
});

describe('bad rows', () => {
  const content = 'a,b\n1,x\n2\n"3"z,y\n4,x,y\nfour,z\n5,"open\n';

  it('are reported with line, offset and bytes', async () => {
    const { records, bad } = await read(content, { types: { a: 'number' }, onError: 'skip' });
    expect(records).toEqual([{ a: 1, b: 'x' }]);
    expect(
      bad.map(({ line, byteOffset, bytes, error }) => [
        line,
        byteOffset,
        Buffer.from(bytes).toString(),
        error.message,
      ]),
    ).toEqual([
      [3, 8, '2', 'The row has 1 fields; 2 are expected.'],
      [4, 10, '"3"z,y', 'Text follows the closing quote of field 1.'],
      [5, 17, '4,x,y', 'The row has 3 fields; 2 are expected.'],
      [6, 23, 'four,z', '"four" in column "a" is not of type number.'],
      [7, 30, '5,"open', 'A quoted field of the row is not closed before the end of the file.'],
    ]);
    expect(bad[0].file).toBe('/memory/a.csv');
    expect(bad[3].error.where.field).toBe('a');
  });

  it('end the job by default', async () => {
    const error = await failure(read(content));
    expect(error).toMatchObject({ code: 'BAD_RECORD', where: { line: 3, byteOffset: 8 } });
    expect(error.advice).toContain('onError');
  });

  it('in columns nobody wants matter in full mode only', async () => {
    const rows = 'a,b\n1,2\nx,3\n';
    const options = { types: { a: 'number' }, onError: 'skip' } as const;
    expect((await read(rows, options, ['b'])).records.length).toBe(2);
    expect((await read(rows, { ...options, validate: 'full' }, ['b'])).records).toEqual([{ b: 2 }]);
  });

  it('that never end are an error of their own', async () => {
    const endless = `a,b\n1,"${'x'.repeat(2_000_000)}\n`;
    const error = await failure(
      read(endless, { maxRowBytes: '512kb', onError: 'skip', sampleRows: 1 }),
    );
    expect(error).toMatchObject({ code: 'RECORD_TOO_LARGE' });
    const lines = await read(endless + '2,y\n', {
      maxRowBytes: '512kb',
      onError: 'skip',
      multiline: false,
    });
    expect(lines.records).toEqual([{ a: 2, b: 'y' }]);
    expect(lines.bad[0].error.message).toContain('longer than');
  });
});

it('reads nothing from no columns but the number of rows', async () => {
  expect((await read('a,b\n1,2\n3,4\n', {}, [])).records).toEqual([{}, {}]);
});

it('reads files without rows', async () => {
  expect((await read('a,b\n')).records).toEqual([]);
  expect((await read('')).plan.schema).toBeNull();
});

it('says how much it checks', () => {
  expect(csvSource('a.csv')).toMatchObject({ validate: 'projected', onError: 'fail', type: 'csv' });
  expect(csvSource(['a', 'b'], { validate: 'full' })).toMatchObject({
    validate: 'full',
    name: 'csv a b',
  });
});
