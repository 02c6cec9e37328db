/**
 * Builds the package: bundled entries with shared chunks by esbuild, type declarations by tsc.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
/** Built aside and moved into place, so that whoever uses the old build meanwhile is not disturbed. */
const aside = join(root, `dist.${process.pid}.tmp`);
const entries = {
  index: 'src/index.ts',
  slot: 'src/runtime/slot-thread.ts',
  coordinator: 'src/runtime/coordinator-thread.ts',
  process: 'src/runtime/isolated-process.ts',
  cli: 'src/cli/main.ts',
};

await build({
  entryPoints: Object.fromEntries(
    Object.entries(entries)
      .filter(([, path]) => existsSync(join(root, path)))
      .map(([name, path]) => [name, join(root, path)]),
  ),
  outdir: aside,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  packages: 'external',
  sourcemap: true,
  sourcesContent: false,
  chunkNames: '[name]-[hash]',
  logLevel: 'warning',
});
if (!process.argv.includes('--no-types')) declareTypes();
writeFileSync(join(aside, '.built'), '');
rmSync(dist, { recursive: true, force: true });
renameSync(aside, dist);

function declareTypes() {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  execFileSync(
    process.execPath,
    [tsc, '-p', join(root, 'tsconfig.build.json'), '--outDir', join(aside, 'types')],
    { cwd: root, stdio: 'inherit' },
  );
}
