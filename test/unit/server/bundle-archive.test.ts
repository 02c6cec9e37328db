import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MillraceError } from '../../../src/base/errors.js';
import { nodeDisk } from '../../../src/base/node-disk.js';
import { unpackPackage } from '../../../src/server/bundle-archive.js';
import { BundleStore } from '../../../src/server/bundle-store.js';
import { tarFiles } from '../../../src/server/tar-files.js';
import { type TarEntry, tarOf, tgzOf } from './tar-archive.js';

const JOB = `import { name } from 'names'; import { job } from 'millrace';
  export default job(name, () => {});`;
const LONG = `package/${'deep/'.repeat(30)}data.js`;

const packageOf = (manifest: object, ...more: readonly TarEntry[]): readonly TarEntry[] => [
  { path: 'package/package.json', content: JSON.stringify(manifest) },
  { path: 'package/dist/job.js', content: JOB },
  { path: 'package/node_modules/names/package.json', content: '{"type":"module"}' },
  { path: 'package/node_modules/names/index.js', content: `export const name = 'from-package';` },
  ...more,
];

describe('a package in an archive', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-archive-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const unpack = (archive: Uint8Array): Promise<string> => {
    const target = join(directory, 'unpacked');
    nodeDisk.makeDirectory(target);
    return unpackPackage(nodeDisk, archive, target);
  };

  it('becomes a bundle with the packages that are in it', async () => {
    const store = new BundleStore(nodeDisk, join(directory, 'bundles'));
    const archive = tgzOf(packageOf({ type: 'module', main: './dist/job.js' }));
    const { name, module, path } = await store.add('orders-1.0.0.tgz', archive);
    expect(name).toBe('orders-1.0.0.tgz');
    const code = readFileSync(module, 'utf8');
    expect(code).toContain('from-package');
    expect(code).toMatch(/from "file:[^"]*dist\/index\.js"/);
    expect(readdirSync(path).toSorted()).toEqual(['-module.mjs', 'orders-1.0.0.tgz']);
    const broken = tgzOf([{ path: 'package/package.json', content: '{}' }]);
    await expect(store.add('b.tar.gz', broken)).rejects.toMatchObject({ code: 'BUNDLE_INVALID' });
    expect(store.list()).toHaveLength(1);
    expect(readdirSync(join(directory, 'bundles'))).toHaveLength(1);
  });

  it.each<[{ readonly main?: string; readonly exports?: unknown }]>([
    [{ main: 'dist/job.js' }],
    [{ main: './dist/job' }],
    [{ main: 'dist' }],
    [{ main: 'other.js', exports: './dist/job.js' }],
    [{ exports: { '.': './dist/job.js', './other': './other.js' } }],
    [{ exports: { types: './job.d.ts', import: './dist/job.js', require: './job.cjs' } }],
    [{ exports: { '.': { browser: './b.js', node: { import: './dist/job.js' } } } }],
  ])('has the module that %j names', async (manifest) => {
    const index = { path: 'package/dist/index.js', content: JOB };
    const found = await unpack(tgzOf(packageOf(manifest, index)));
    const name = manifest.main === 'dist' ? 'index.js' : 'job.js';
    expect(found).toBe(join(directory, 'unpacked', 'package', 'dist', name));
    expect(readFileSync(found, 'utf8')).toBe(JOB);
  });

  it('has files of long names, wherever its root is', async () => {
    const long = { path: LONG, content: 'long' };
    const entries = packageOf({ main: 'dist/job.js' }, long, { path: 'package/a/', type: '5' });
    expect(LONG.length).toBeGreaterThan(100);
    await unpack(tgzOf(entries));
    expect(readFileSync(join(directory, 'unpacked', LONG), 'utf8')).toBe('long');
    const bare = packageOf({ main: 'dist/job.js' }).map(({ path, ...rest }) => {
      return { ...rest, path: path.replace('package/', './') };
    });
    const files = [...tarFiles(tarOf(bare))].map(({ path }) => path);
    expect(files).toContain('node_modules/names/index.js');
  });

  it.each<[string, readonly TarEntry[], RegExp]>([
    ['a path upwards', [{ path: 'package/../../evil.js' }], /leads elsewhere/],
    ['a path upwards with the other slash', [{ path: 'a\\..\\..\\evil.js' }], /leads elsewhere/],
    ['an absolute path', [{ path: '/tmp/evil.js' }], /leads elsewhere/],
    ['a path on a drive', [{ path: 'C:\\evil.js' }], /leads elsewhere/],
    ['a long path upwards', [{ path: `${'a/'.repeat(80)}../../x` }], /leads elsewhere/],
    ['a symbolic link', [{ path: 'package/link', type: '2' }], /is no file/],
    ['a hard link', [{ path: 'package/link', type: '1' }], /is no file/],
    ['a device', [{ path: 'package/null', type: '3' }], /is no file/],
    ['a file twice', [{ path: 'a' }, { path: './a' }], /twice/],
    ['a file that is a directory', [{ path: 'a' }, { path: 'a/b' }], /cannot be used/],
    ['no manifest', [{ path: 'a.js' }], /no package\.json/],
    ['no module', [{ path: 'package.json', content: '{"main":"b"}' }], /not in it/],
    ['no JSON', [{ path: 'package.json', content: '{' }], /no JSON/],
    [
      'a module elsewhere',
      [{ path: 'package.json', content: '{"main":"../../etc/passwd"}' }],
      /not in it/,
    ],
    [
      'too many files',
      Array.from({ length: 20_001 }, (_, at) => ({ path: `f${at}` })),
      /more than 20000 files/,
    ],
  ])('is refused with %s', async (_, entries, reason) => {
    await expect(unpack(tgzOf(entries))).rejects.toMatchObject({
      code: 'BUNDLE_INVALID',
      message: expect.stringMatching(reason),
    });
    expect(existsSync(join(directory, 'evil.js'))).toBe(false);
    expect(readdirSync(directory)).toEqual(['unpacked']);
  });

  it('is refused when it becomes too large, and when it is no archive', async () => {
    const bomb = gzipSync(Buffer.alloc(257 * 1024 * 1024), { level: 1 });
    for (const wrong of [bomb, Buffer.from('PK'), gzipSync('no archive'), gzipSync('')]) {
      await expect(unpack(wrong)).rejects.toMatchObject({ code: 'BUNDLE_INVALID' });
    }
  });

  it('gives safe paths only, or refuses, whatever is in it', () => {
    const right = tarOf(packageOf({ main: 'dist/job.js' }, { path: LONG, content: 'x' }));
    const change = fc.record({ at: fc.nat(right.length - 1), byte: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 8 }), fc.nat(right.length), (changes, bytes) => {
        const archive = Buffer.from(right.subarray(0, bytes));
        for (const { at, byte } of changes) if (at < bytes) archive[at] = byte;
        try {
          for (const { path } of tarFiles(archive)) {
            expect(path).toMatch(/^[^/\\]/);
            expect(path.split('/')).not.toContain('..');
          }
        } catch (error) {
          if (!MillraceError.is(error)) throw error;
          expect(error.code).toBe('BUNDLE_INVALID');
        }
      }),
      { numRuns: 500 },
    );
  });
});
