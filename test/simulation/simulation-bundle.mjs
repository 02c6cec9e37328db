/**
 * Bundles the simulation with an engine of its own, threads included, so that plain Node.js can run it. Callers: the
 * campaigns of this folder, the thread test.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Runs `action` with the module of a bundle that holds all campaigns, and removes the bundle afterwards. */
export async function withSimulation(action) {
  // Beside the repository's packages, so that the bundle finds them.
  const outdir = mkdtempSync(join(root, 'node_modules', '.millrace-simulation-'));
  try {
    const options = {
      bundle: true,
      platform: 'node',
      target: 'node20',
      packages: 'external',
      // Slots apply source maps to every stack, which would take longer than the runs.
      sourcemap: process.env.SEED === undefined ? false : 'inline',
      logLevel: 'warning',
      outdir,
    };
    await build({
      ...options,
      entryPoints: {
        campaigns: join(root, 'test/simulation/campaigns.ts'),
        index: join(root, 'src/index.ts'),
        slot: join(root, 'src/runtime/slot-thread.ts'),
      },
      splitting: true,
      format: 'esm',
    });
    await build({
      ...options,
      entryPoints: { coordinator: join(root, 'src/runtime/coordinator-thread.ts') },
      format: 'cjs',
      outExtension: { '.js': '.cjs' },
    });
    // Slots share classes with the campaigns, so theirs is a module like them behind the script that threads run.
    writeFileSync(join(outdir, 'slot.cjs'), "import('./slot.js');\n");
    return await action(await import(pathToFileURL(join(outdir, 'campaigns.js')).href));
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}
