/**
 * A Flink to run, put together from what PyPI has: the archive of `apache-flink-libraries` holds the jars, the wheel of
 * `apache-flink` the scripts and the configuration. Callers: `flink-cluster.mjs`. Runs on: the caller's thread, once;
 * what was put together stays below the system's temporary directory. Needs Java 17 or later with a compiler, and
 * Python 3 with pip.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const FLINK_VERSION = '2.3.0';
const JAVA_MIN = 11;

/** Everything of Flink lies here. */
export const flinkDirectory = join(tmpdir(), 'millrace-bench', `flink-${FLINK_VERSION}`);

/** What is missing to run Flink here, in words; null when nothing is. */
export function flinkObstacle() {
  const version = outputOf('javac', ['-version']);
  const [, major] = /javac (\d+)/.exec(version ?? '') ?? [];
  if (major === undefined) return 'there is no Java compiler (javac) on the path';
  if (Number(major) < JAVA_MIN) return `Java ${major} is older than ${JAVA_MIN}`;
  return outputOf('python3', ['--version']) === null ? 'there is no python3' : null;
}

function outputOf(command, args) {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch {
    return null;
  }
}

/**
 * The directory of the distribution, which is put together when it is not there.
 *
 * @param {(message: string) => void} tell
 */
export function flinkHome(tell) {
  const home = join(flinkDirectory, 'home');
  if (existsSync(join(home, 'bin', 'flink'))) return home;
  tell(`Putting Flink ${FLINK_VERSION} together in ${flinkDirectory} (320 MB to download)`);
  const downloads = join(flinkDirectory, 'downloads');
  mkdirSync(downloads, { recursive: true });
  download(downloads);
  const aside = join(flinkDirectory, `aside-${process.pid}`);
  rmSync(aside, { recursive: true, force: true });
  mkdirSync(aside);
  try {
    unpack(downloads, aside);
    renameSync(join(aside, 'home'), home);
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
  return home;
}

function download(directory) {
  const python = join(flinkDirectory, 'python');
  const pip = join(python, 'bin', 'pip');
  if (!existsSync(pip)) run('python3', ['-m', 'venv', python]);
  // Archives of sources are asked for their names before they are kept, which takes these two.
  run(pip, ['install', '--quiet', 'setuptools<80', 'wheel']);
  const get = (...args) =>
    run(pip, ['download', '--quiet', '--no-deps', '--dest', directory, ...args]);
  get('--no-build-isolation', '--no-binary', ':all:', `apache-flink-libraries==${FLINK_VERSION}`);
  get('--only-binary', ':all:', `apache-flink==${FLINK_VERSION}`);
}

function unpack(downloads, aside) {
  const files = readdirSync(downloads);
  const archive = files.find((name) => name.endsWith('.tar.gz'));
  const wheel = files.find((name) => name.endsWith('.whl'));
  run('tar', ['-xzf', join(downloads, archive), '-C', aside]);
  run('python3', ['-m', 'zipfile', '-e', join(downloads, wheel), join(aside, 'wheel')]);
  const home = join(aside, 'home');
  renameSync(join(aside, archive.replace('.tar.gz', ''), 'deps'), home);
  cpSync(join(aside, 'wheel', 'pyflink', 'bin'), join(home, 'bin'), { recursive: true });
  cpSync(join(aside, 'wheel', 'pyflink', 'conf'), join(home, 'conf'), { recursive: true });
  for (const name of readdirSync(join(home, 'bin'))) chmodSync(join(home, 'bin', name), 0o755);
  writeFileSync(join(home, 'VERSION'), `${FLINK_VERSION}\n`);
}

function run(command, args) {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
}
