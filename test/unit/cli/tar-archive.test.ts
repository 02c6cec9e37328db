import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tarArchive } from '../../../src/cli/tar-archive.js';

describe('an archive', () => {
  it('is read by tar, with files of any length', () => {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-tar-'));
    try {
      const files = [0, 1, 511, 512, 513, 100_000].map((bytes) => {
        return { name: `top/of/${bytes}.bin`, content: new Uint8Array(bytes).fill(bytes % 251) };
      });
      const text = { name: `top/${'n'.repeat(90)}.txt`, content: 'zwölf Boxkämpfer\n' };
      const archive = join(directory, 'a.tgz');
      writeFileSync(archive, tarArchive([...files, text], Date.UTC(2026, 0, 2)));
      execFileSync('tar', ['-xzf', archive, '-C', directory]);
      for (const { name, content } of files) {
        expect(readFileSync(join(directory, name)).equals(content)).toBe(true);
      }
      expect(readFileSync(join(directory, text.name), 'utf8')).toBe(text.content);
      const info = statSync(join(directory, text.name));
      expect(info.mtimeMs).toBe(Date.UTC(2026, 0, 2));
      expect(info.mode & 0o777).toBe(0o600);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  it('takes no name that it could not hold', () => {
    for (const name of ['a'.repeat(101), 'ä', 'a b', '']) {
      expect(() => tarArchive([{ name, content: '' }], 0)).toThrow('A name in an archive');
    }
  });
});
