/**
 * Bundles src/ring for plain scripts and their worker threads. Callers: the scripts of this folder.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

/** Runs `action` with the URL of a bundle in the temporary directory, and removes the bundle afterwards. */
export async function withRingBundle(action) {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-ring-'));
  const outfile = join(directory, 'ring.mjs');
  try {
    await build({
      stdin: {
        contents:
          "export * from './make-ring.ts'; export * from './spsc-ring.ts'; export * from './parker.ts';",
        resolveDir: fileURLToPath(new URL('../../src/ring/', import.meta.url)),
        loader: 'ts',
      },
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      outfile,
    });
    await action(pathToFileURL(outfile).href);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
