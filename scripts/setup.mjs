/**
 * Makes a fresh clone usable with nothing but Node and git: installs dependencies when the lockfile changed, and
 * builds when a source is newer than the build. Called by `prestart`, `pretest` and their like.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Millrace needs Node 20.19 or newer; this is ${process.version}.`);
  process.exit(1);
}

const lockHash = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex');
const stampFile = join(root, 'node_modules', '.millrace-setup');
const installed = existsSync(stampFile) && readFileSync(stampFile, 'utf8') === lockHash;
if (!installed) {
  console.log('Installing dependencies (npm ci)…');
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, lockHash);
}

const built = join(root, 'dist', '.built');
const sources = ['src', 'native-bindings', 'scripts', 'package.json', 'tsconfig.json'].map((name) =>
  join(root, name),
);
if (!existsSync(built) || Math.max(...sources.map(newestMs)) > statSync(built).mtimeMs) {
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
  if (!existsSync(path)) return 0;
  const info = statSync(path);
  if (!info.isDirectory()) return info.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newestMs(join(path, name))));
}
