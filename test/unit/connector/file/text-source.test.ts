import fc from 'fast-check';
import { expect, it } from 'vitest';
import { textSource, type TextSourceOptions } from '../../../../src/connector/file/text-source.js';
import { batches, inMemory, planSource, readFrom, readSource } from './read-source.js';

const content = '\ufeffone\r\n\ntwo ü\r\n  three  \nlast';

async function read(
  bytes: string | Uint8Array,
  options: TextSourceOptions = {},
): Promise<readonly unknown[]> {
  return (await readSource(textSource('a', options), inMemory({ a: bytes }))).records;
}

it('reads lines, empty ones and the unfinished last one included', async () => {
  expect(await read(content)).toEqual(['one', '', 'two ü', '  three  ', 'last']);
  expect(await read(content, { stripCarriageReturn: false })).toEqual([
    'one\r',
    '',
    'two ü\r',
    '  three  ',
    'last',
  ]);
  expect(await read('')).toEqual([]);
  expect(await read('\n')).toEqual(['']);
});

it('gives every line once for every split size', async () => {
  for (let splitBytes = 1; splitBytes < 40; splitBytes++) {
    expect(await read(content, { splitBytes })).toEqual(['one', '', 'two ü', '  three  ', 'last']);
  }
});

it('is resumed before any line', async () => {
  const lines = Array.from({ length: 100 }, (_, index) => `${index}`.repeat(index % 5));
  const run = await planSource(textSource('a', { splitBytes: 50 }), {
    ...inMemory({ a: lines.join('\n') }),
    batchRows: 7,
  });
  const reader = await run.open();
  for (const split of run.plan.splits) reader.addSplit(split, null);
  let seen = 0;
  while (reader.poll() === 0) {
    const rows = reader.batch?.rows ?? 0;
    for (let row = 0; row <= rows; row++) {
      expect(await readFrom(run, reader.positions(row))).toEqual(lines.slice(seen + row));
    }
    seen += rows;
  }
  expect(seen).toBe(100);
  expect(reader.bytesRead).toBe(lines.join('\n').length);
});

it('sets lines aside that are not UTF-8, or reads them as Latin-1', async () => {
  const bytes = Buffer.from('a\nü\nb\n', 'latin1');
  const { records, bad } = await readSource(
    textSource('a', { onError: 'skip' }),
    inMemory({ a: bytes }),
  );
  expect(records).toEqual(['a', 'b']);
  expect(bad[0]).toMatchObject({ line: 2, byteOffset: 2, bytes: new Uint8Array([0xfc]) });
  expect(await read(bytes, { encoding: 'latin1' })).toEqual(['a', 'ü', 'b']);
  expect(await read(Buffer.from('a\nü', 'utf16le'), { encoding: 'utf16le' })).toEqual(['a', 'ü']);
});

it('reads lines longer than the buffer', async () => {
  const long = 'x'.repeat(700_000);
  expect(await read(`a\n${long}\nb`)).toEqual(['a', long, 'b']);
});

it('reads lines of any length, wherever newlines are looked for anew', async () => {
  const anyLength = fc.oneof(
    { weight: 6, arbitrary: fc.nat(80) },
    fc.integer({ min: 16_300, max: 16_500 }),
    fc.nat(40_000),
  );
  const line = fc.record({
    length: anyLength,
    letter: fc.constantFrom('x', 'ü'),
    ends: fc.boolean(),
  });
  const lines = fc.array(line, { minLength: 1, maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(lines, async (given) => {
      const texts = given.map(({ length, letter }) => letter.repeat(length));
      const whole = given.map(({ ends }, at) => `${texts[at]}${ends ? '\r' : ''}\n`).join('');
      expect(await read(whole)).toEqual(texts);
    }),
    { numRuns: 40 },
  );
});

it('puts lines one behind the other into columns when few are equal, long ones or short', async () => {
  for (const width of [8, 40]) {
    const lines = Array.from({ length: 4000 }, (_, index) => String(index).padStart(width, '0'));
    const files = inMemory({ a: lines.join('\n') });
    const run = await planSource(textSource('a'), { ...files, batchRows: 1024 });
    const reader = await run.open();
    for (const split of run.plan.splits) reader.addSplit(split, null);
    const dictionaries: unknown[] = [];
    for await (const { columns } of batches(reader)) {
      dictionaries.push('isDictionary' in columns[0] && columns[0].isDictionary);
    }
    expect(dictionaries).toEqual([true, true, false, false]);
  }
});
