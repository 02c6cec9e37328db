/** What the built entries load at once, since every thread of a run, and every call of the command line, waits for it. */
import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from './source-files.js';

/** What an entry reaches by static imports. */
function loadedBy(entry: string): { readonly packages: readonly string[]; readonly bytes: number } {
  const files = new Set([join(root, 'dist', `${entry}.js`)]);
  const packages = new Set<string>();
  let bytes = 0;
  for (const file of files) {
    bytes += statSync(file).size;
    const statements = readFileSync(file, 'utf8').matchAll(
      /^(?:import|export)\s(?:[^;'"]*?\sfrom\s*)?"([^"]+)";/gm,
    );
    for (const [, specifier = ''] of statements) {
      if (specifier.startsWith('.')) files.add(join(dirname(file), specifier));
      else if (!specifier.startsWith('node:')) packages.add(specifier);
    }
  }
  return { packages: [...packages].toSorted(), bytes };
}

describe('what the built entries load at once', () => {
  it.each([
    ['index', ['acorn']],
    ['slot', ['acorn']],
    ['coordinator', []],
    ['process', ['acorn']],
    ['cli', ['commander']],
  ])('%s: no more packages than %j', (entry, allowed) => {
    const { packages } = loadedBy(entry);
    expect(packages.filter((name) => !allowed.includes(name))).toEqual([]);
  });

  it.each([
    ['index', 1500],
    ['slot', 1000],
    ['coordinator', 200],
    ['cli', 100],
  ])('%s: at most %d KB of code', (entry, kilobytes) => {
    expect(loadedBy(entry).bytes / 1024).toBeLessThan(kilobytes);
  });
});
