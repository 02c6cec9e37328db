/**
 * Imports TypeScript sources into a script, for tables that are not part of the public api. Callers: the generator of
 * the documentation.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** One module with everything that the sources at `paths` (from the repository's root) export. */
export async function importSources(paths) {
  // Inside of the repository, so that the packages which the sources import are found.
  mkdirSync(join(root, 'out'), { recursive: true });
  const folder = mkdtempSync(join(root, 'out', 'sources-'));
  const outfile = join(folder, 'sources.mjs');
  try {
    await build({
      stdin: {
        contents: paths.map((path) => `export * from './${path}';`).join('\n'),
        resolveDir: root,
        loader: 'ts',
      },
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      packages: 'external',
      outfile,
      logLevel: 'warning',
    });
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
