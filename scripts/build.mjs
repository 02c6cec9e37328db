/**
 * Builds the package: bundled entries with shared chunks by esbuild, and the type declarations that the public api
 * needs by tsc. `--no-types` leaves the declarations out.
 */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { reachableDeclarations } from './lib/declarations.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
/** Built aside and moved into place, so that whoever uses the old build meanwhile is not disturbed. */
const aside = join(root, `dist.${process.pid}.tmp`);
const ENTRIES = {
  index: 'src/index.ts',
  slot: 'src/runtime/slot-thread.ts',
  coordinator: 'src/runtime/coordinator-thread.ts',
  process: 'src/runtime/isolated-process.ts',
  cli: 'src/cli/main.ts',
};

const began = new Date();
sweep();
try {
  await bundle();
  if (!process.argv.includes('--no-types')) declareTypes();
  replaceDist();
} catch {
  // esbuild and tsc have printed what is wrong.
  process.exitCode = 1;
} finally {
  rmSync(aside, { recursive: true, force: true });
}

/** No minification and no maps: the bundles are as readable as the sources, and name them in comments. */
async function bundle() {
  await build({
    entryPoints: Object.fromEntries(
      Object.entries(ENTRIES).map(([name, path]) => [name, join(root, path)]),
    ),
    outdir: aside,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    chunkNames: '[name]-[hash]',
    logLevel: 'warning',
  });
}

function declareTypes() {
  const all = join(aside, 'all-types');
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  execFileSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json'), '--outDir', all], {
    cwd: root,
    stdio: 'inherit',
  });
  for (const path of reachableDeclarations(join(all, 'src', 'index.d.ts'))) {
    const target = join(aside, 'types', relative(all, path));
    mkdirSync(dirname(target), { recursive: true });
    cpSync(path, target);
  }
  rmSync(all, { recursive: true });
}

function replaceDist() {
  const stamp = join(aside, '.built');
  writeFileSync(stamp, '');
  utimesSync(stamp, began, began);
  const old = join(root, `dist.${process.pid}.old.tmp`);
  if (existsSync(dist)) renameSync(dist, old);
  renameSync(aside, dist);
  rmSync(old, { recursive: true, force: true });
}

/** Removes what builds that were killed left behind. */
function sweep() {
  for (const name of readdirSync(root)) {
    const [, pid] = /^dist\.(\d+)\.(?:old\.)?tmp$/.exec(name) ?? [];
    if (pid !== undefined && !isAlive(Number(pid))) {
      rmSync(join(root, name), { recursive: true, force: true });
    }
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
