/**
 * Tries the package as a stranger would: packs it, installs the tarball in an empty folder outside of the repository,
 * looks for the console in it, and runs the first `js` block of the README there as `index.mjs`. Ends with code 1 when
 * something is missing, fails or prints nothing. Callers: `.ci/run`.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { codeBlocks } from './lib/code-blocks.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = mkdtempSync(join(tmpdir(), 'millrace-package-'));
try {
  const [packed] = JSON.parse(npm(['pack', '--json', '--pack-destination', folder], root));
  console.log(`${packed.filename}: ${packed.entryCount} files, ${packed.size} bytes`);
  npm(['install', '--no-audit', '--no-fund', join(folder, packed.filename)], folder);
  readFileSync(join(folder, 'node_modules', 'millrace', 'dist', 'console', 'index.html'));
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const block = codeBlocks(readme).find(({ language }) => language === 'js');
  if (block === undefined) throw new Error('The README has no js block.');
  writeFileSync(join(folder, 'index.mjs'), block.code);
  const output = run(process.execPath, ['index.mjs'], folder);
  if (output.trim() === '') throw new Error('The first js block of the README prints nothing.');
  console.log(output);
  console.log(run(join(folder, 'node_modules', '.bin', 'millrace'), ['doctor'], folder));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function npm(args, cwd) {
  return run('npm', args, cwd);
}

function run(command, args, cwd) {
  return execFileSync(command, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 300_000,
  });
}
