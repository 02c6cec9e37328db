import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { multipartFile } from '../../../src/server/multipart-file.js';

/** As clients make them: Node's own encoder. */
async function formOf(parts: readonly (readonly [string, string | Blob, string?])[]) {
  const form = new FormData();
  for (const [name, value, file] of parts) {
    if (typeof value === 'string') form.append(name, value);
    else form.append(name, value, file);
  }
  const response = new Response(form);
  const type = response.headers.get('content-type') ?? '';
  return { type, body: Buffer.from(await response.arrayBuffer()) };
}

describe('multipartFile', () => {
  it('takes the first file, whatever is in it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        const { type, body } = await formOf([
          ['entry', 'a field'],
          ['jarfile', new Blob([bytes.slice()]), 'job.mjs'],
          ['other', new Blob(['x']), 'other.mjs'],
        ]);
        const { name, content } = multipartFile(type, body);
        expect(name).toBe('job.mjs');
        expect(Buffer.from(content).equals(Buffer.from(bytes))).toBe(true);
      }),
    );
  });

  it('refuses what is no form with a file', async () => {
    const { type, body } = await formOf([['entry', 'a field']]);
    const invalid = expect.objectContaining({ code: 'REQUEST_INVALID' });
    expect(() => multipartFile(type, body)).toThrow(invalid);
    expect(() => multipartFile('multipart/form-data', body)).toThrow(invalid);
    expect(() => multipartFile('multipart/form-data; boundary=x', body)).toThrow(invalid);
    expect(() => multipartFile('multipart/form-data; boundary=x', Buffer.from('--x'))).toThrow(
      invalid,
    );
  });
});
