import { expect, it } from 'vitest';
import { textSource, type TextSourceOptions } from '../../../../src/connector/file/text-source.js';
import { inMemory, planSource, readFrom, readSource } from './read-source.js';

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
