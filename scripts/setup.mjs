/**
 * Makes a fresh clone usable with nothing but Node and git: installs dependencies when the lockfile changed, and
 * builds when a source is newer than the build. Every npm script calls it first (a `pre` script would not do:
 * `ignore-scripts=true` in `.npmrc` turns those off). Only Node's own modules are imported, because it runs before
 * anything is installed. `--no-build` stops after the installation.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** What the build is made of; a folder counts as changed when a file in it was changed, added or removed. */
const BUILD_INPUTS = [
  'src',
  'native-bindings',
  'scripts/build.mjs',
  'scripts/lib/declarations.mjs',
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
];

requireNode();
install();
if (!process.argv.includes('--no-build')) build();

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  console.error(`Millrace needs Node 20.19 or newer; this is ${process.version}.`);
  process.exit(1);
}

function install() {
  const stamp = join(root, 'node_modules', '.millrace-setup');
  const hash = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return;
  console.log('Installing dependencies (npm ci)…');
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  writeFileSync(stamp, hash);
}

function build() {
  // The stamp carries the time at which the build began, so that a change during the build counts as newer.
  const stamp = join(root, 'dist', '.built');
  const inputs = BUILD_INPUTS.map((name) => join(root, name));
  if (existsSync(stamp) && Math.max(...inputs.map(newestMs)) < statSync(stamp).mtimeMs) return;
  console.log('Building…');
  run(process.execPath, [join(root, 'scripts', 'build.mjs')]);
}

function run(command, args) {
  // A shell is needed for npm.cmd on Windows only; the arguments are constants.
  const shell = process.platform === 'win32' && command === 'npm';
  try {
    execFileSync(command, args, { cwd: root, stdio: 'inherit', shell });
  } catch (error) {
    console.error(`Setup failed: ${command} ${args.join(' ')}`);
    process.exit(typeof error.status === 'number' ? error.status : 1);
  }
}

function newestMs(path) {
  const info = statSync(path, { throwIfNoEntry: false });
  if (info === undefined) return 0;
  if (!info.isDirectory()) return info.mtimeMs;
  return Math.max(info.mtimeMs, ...readdirSync(path).map((name) => newestMs(join(path, name))));
}
