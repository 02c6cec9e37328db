import { describe, expect, it } from 'vitest';
import { csvSource } from '../../../../src/connector/file/csv-source.js';
import { ndjsonSource } from '../../../../src/connector/file/ndjson-source.js';
import { textSource } from '../../../../src/connector/file/text-source.js';
import { inMemory, readSource } from './read-source.js';

const sources = { csv: csvSource, ndjson: ndjsonSource, text: textSource } as const;
const CONTENT = { csv: 'a\n1\n', ndjson: '{"a":1}\n', text: 'a\n' } as const;
const types = ['csv', 'ndjson', 'text'] as const;

describe.each(types)('a %s file', (type) => {
  const little = Buffer.from(`\ufeff${CONTENT[type]}`, 'utf16le');
  const big = Buffer.from(little).swap16();
  const read = (content: Buffer, encoding: 'utf8' | 'utf16le') =>
    readSource(
      sources[type]('a', { encoding, onError: 'skip' } as never),
      inMemory({ a: content }),
    );

  it('in UTF-16 is read as such, and is not taken for UTF-8', async () => {
    const { records } = await read(little, 'utf16le');
    expect(records).toEqual([type === 'text' ? 'a' : { a: 1 }]);
    await expect(read(little, 'utf8')).rejects.toMatchObject({
      code: 'FORMAT_INVALID',
      advice: "Set encoding: 'utf16le'.",
    });
  });

  it.each(['utf8', 'utf16le'] as const)(
    'in big endian is refused, read as %s',
    async (encoding) => {
      await expect(read(big, encoding)).rejects.toMatchObject({
        code: 'FORMAT_INVALID',
        message: expect.stringContaining('big endian'),
      });
    },
  );
});
