/**
 * Adds to `package-lock.json` the packages for other platforms that npm left out. npm drops an optional package from
 * the lockfile when the registry in use does not serve that version, as mirrors do that hold one platform only, and
 * then `npm ci` refuses the lockfile everywhere. An added entry has no integrity hash, because nothing was fetched.
 * `--check` only lists what is missing, and ends with code 1 when something is.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** What the lockfile does not hold though a package in it names it: `{ name, version, parent }`. */
export function missingPackages(lock) {
  const missing = new Map();
  for (const [path, entry] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (!isLocked(lock, path, name)) missing.set(name, { name, version, parent: entry });
    }
  }
  return [...missing.values()];
}

/** Whether Node, looking upwards from `path`, finds `name` among the locked packages. */
function isLocked(lock, path, name) {
  for (let base = path; ; base = base.slice(0, Math.max(0, base.lastIndexOf('/node_modules/')))) {
    if (`${base}${base === '' ? '' : '/'}node_modules/${name}` in lock.packages) return true;
    if (base === '') return false;
  }
}

/** The entry of a package that only its name describes, such as `@oxlint/binding-linux-x64-musl`. */
function entryOf({ name, version, parent }) {
  const words = new Set(name.slice(name.indexOf('/') + 1).split('-'));
  const one = (...known) => known.filter((word) => words.has(word));
  const os = one('aix', 'android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32');
  const cpu = one('arm', 'arm64', 'ia32', 'loong64', 'ppc64', 'riscv64', 's390x', 'x64');
  if (os.length !== 1 || cpu.length !== 1) {
    throw new Error(`The name ${name} does not say for which platform it is; add it by hand.`);
  }
  const isMusl = words.has('musl') || words.has('musleabihf');
  const libc = os[0] === 'linux' ? { libc: [isMusl ? 'musl' : 'glibc'] } : {};
  return {
    version,
    cpu,
    ...(parent.dev === true ? { dev: true } : {}),
    ...libc,
    optional: true,
    os,
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const path = join(root, 'package-lock.json');
  const lock = JSON.parse(readFileSync(path, 'utf8'));
  const missing = missingPackages(lock);
  for (const { name, version } of missing) console.log(`${name}@${version}`);
  if (process.argv.includes('--check')) {
    process.exitCode = missing.length > 0 ? 1 : 0;
  } else if (missing.length > 0) {
    const added = missing.map((each) => [`node_modules/${each.name}`, entryOf(each)]);
    const packages = Object.entries(lock.packages).concat(added);
    packages.sort(([a], [b]) => a.localeCompare(b, 'en'));
    lock.packages = Object.fromEntries(packages);
    writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
  }
}
