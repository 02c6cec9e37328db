/**
 * Parts of the engine that are no public API, for cases that measure such a part alone: bundled from the sources into
 * one file. Callers: `jobs/ring.mjs`, `micro/*.mjs`, `limits/parquet-groupby.mjs`.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const source = fileURLToPath(new URL('../../src/', import.meta.url));
/** Below the repository, so that packages which stay outside the bundle are found. */
const directory = fileURLToPath(new URL('../../out/bench/bundles/', import.meta.url));

/**
 * Bundles what some modules below `src/` export.
 *
 * @param {readonly string[]} modules such as 'ring/spsc-ring.ts'
 * @returns {Promise<string>} URL of the bundle, which threads may import too
 */
export async function engineBundle(modules) {
  const contents = modules.map((path) => `export * from './${path}';`).join('\n');
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: source, loader: 'ts' },
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node20',
    write: false,
  });
  const [{ text }] = outputFiles;
  const name = `engine-${createHash('sha256').update(text).digest('hex').slice(0, 12)}.mjs`;
  mkdirSync(directory, { recursive: true });
  const path = join(directory, name);
  writeFileSync(`${path}.${process.pid}`, text);
  renameSync(`${path}.${process.pid}`, path);
  return pathToFileURL(path).href;
}
