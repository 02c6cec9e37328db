/** What the built entries load at once, since every thread of a run, and every call of the command line, waits for it. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type EntryName, entryFile } from '../../src/runtime/entry-url.js';
import { root } from './source-files.js';

interface Loaded {
  readonly files: readonly string[];
  readonly packages: readonly string[];
  readonly kilobytes: number;
  /** The sources in it, by the comments of the bundler. */
  readonly sources: readonly string[];
}

/** What an entry reaches by static imports. */
function loadedBy(entry: EntryName): Loaded {
  const files = new Set([join(root, 'dist', entryFile(entry))]);
  const packages = new Set<string>();
  const sources: string[] = [];
  let bytes = 0;
  for (const file of files) {
    const text = readFileSync(file, 'utf8');
    bytes += statSync(file).size;
    sources.push(...[...text.matchAll(/^\/\/ (src\/\S+\.ts)$/gm)].map(([, path]) => path ?? ''));
    const imports = [
      ...text.matchAll(/^(?:import|export)\s(?:[^;'"]*?\sfrom\s*)?"([^"]+)";/gm),
      ...text.matchAll(/\b\$?require\("([^"]+)"\)/g),
      ...[...text.matchAll(/\$load\("([^"]+)"\)/g)].map(([all, part]) => [all, `./${part}.js`]),
    ];
    for (const [, specifier = ''] of imports) {
      if (specifier.startsWith('.')) files.add(join(dirname(file), specifier));
      else if (!specifier.startsWith('node:')) packages.add(specifier);
    }
  }
  return {
    files: [...files],
    packages: [...packages].toSorted(),
    kilobytes: bytes / 1024,
    sources,
  };
}

describe('what the built entries load at once', () => {
  it.each([
    ['index', []],
    ['slot', []],
    ['coordinator', []],
    ['keeper', ['flatbuffers']],
    ['state-reader', ['flatbuffers']],
    ['process', []],
    ['server', ['fastify', 'flatbuffers', 'pino']],
    ['cli', ['commander']],
  ] as const)('%s: no other packages than %j', (entry, packages) => {
    expect(loadedBy(entry).packages).toEqual(packages);
  });

  // A module takes half a millisecond, fifty kilobytes that are not kept compiled take another one. One file of each
  // entry that has parts is what loads them.
  it.each([
    ['index', 4, 450],
    ['slot', 7, 785],
    ['coordinator', 1, 80],
    // Two more for what only incremental checkpoints load.
    ['keeper', 3, 126],
    ['state-reader', 1, 90],
    ['process', 4, 450],
    // A second one for what only a server with reporters loads.
    ['server', 2, 344],
    ['cli', 4, 30],
  ] as const)('%s: at most %d files and %d KB', (entry, files, kilobytes) => {
    const loaded = loadedBy(entry);
    expect(loaded.files.length).toBeLessThanOrEqual(files);
    expect(loaded.kilobytes).toBeLessThan(kilobytes);
  });

  it.each(['index', 'slot'] as const)('%s: of formats only what checks their options', (entry) => {
    const { sources } = loadedBy(entry);
    expect(sources.length).toBeGreaterThan(50);
    expect(sources.filter((path) => path.startsWith('src/format/')).toSorted()).toEqual([
      'src/format/csv/csv-dialect.ts',
      'src/format/encode/csv-output.ts',
      'src/format/parquet/parquet-output.ts',
    ]);
  });

  it('the loader of code: no object with a value of its own kind, whose shape records of users have', () => {
    const loader = readFileSync(join(root, 'dist/load.cjs'), 'utf8');
    expect(loader).not.toMatch(/\{ value: [^,}]+ \}/);
  });

  it('console: less than 200 KB, compressed as it is sent', () => {
    const folder = join(root, 'dist', 'console');
    const files = [
      'index.html',
      ...readdirSync(join(folder, 'assets')).map((name) => join('assets', name)),
    ];
    const bytes = files.map((name) => gzipSync(readFileSync(join(folder, name))).byteLength);
    expect(bytes.length).toBeGreaterThan(3);
    expect(bytes.reduce((sum, one) => sum + one, 0) / 1024).toBeLessThan(200);
  });
});
