import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeDisk } from '../../../src/base/node-disk.js';
import { BundleStore } from '../../../src/server/bundle-store.js';

const JOB = `import { job } from 'millrace'; export default job('a', () => {});`;

describe('BundleStore', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-bundles-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));
  const store = () => new BundleStore(nodeDisk, join(directory, 'bundles'));
  const add = (name: string, text = JOB) => store().add(name, Buffer.from(text));

  it('keeps a bundle under a name of its own, with the engine pinned', async () => {
    const { id, name, module, path } = await add('job.mjs');
    expect(path.endsWith(id)).toBe(true);
    expect(name).toBe('job.mjs');
    expect(readFileSync(module, 'utf8')).toMatch(/from "file:[^"]*dist\/index\.js"/);
    expect(
      store()
        .list()
        .map((bundle) => bundle.id),
    ).toEqual([id]);
    store().remove(id);
    expect(readdirSync(join(directory, 'bundles'))).toEqual([]);
  });

  it('compiles TypeScript', async () => {
    const { module } = await add('job.ts', `const a: number = 1; export default a;`);
    expect(readFileSync(module, 'utf8')).not.toContain(': number');
  });

  it.each(['../../evil.mjs', '..\\..\\evil.mjs', '/etc/evil.mjs', '.evil.mjs', '-module.mjs'])(
    'keeps %s within its directory',
    async (name) => {
      const { path, module } = await add(name);
      expect(dirname(path)).toBe(join(directory, 'bundles'));
      expect(dirname(module)).toBe(path);
      expect(existsSync(module)).toBe(true);
    },
  );

  it.each([
    ['job.txt', JOB],
    ['job', JOB],
    ['job.mjs', 'export default {'],
    ['job.mjs', `import 'a-package-that-there-is-not';`],
  ])('refuses %s: %s', async (name, text) => {
    await expect(add(name, text)).rejects.toMatchObject({ code: 'BUNDLE_INVALID' });
    expect(readdirSync(join(directory, 'bundles'))).toEqual([]);
  });

  it.each(['', '..', '../bundles', `${'0'.repeat(32)}_`, `${'0'.repeat(32)}_a/../../b`, 'x.mjs'])(
    'has no bundle %j',
    async (id) => {
      await add('job.mjs');
      const unknown = expect.objectContaining({ code: 'BUNDLE_UNKNOWN' });
      expect(() => store().get(id)).toThrow(unknown);
      expect(() => store().remove(id)).toThrow(unknown);
    },
  );
});
