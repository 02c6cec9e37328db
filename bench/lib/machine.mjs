/**
 * What a figure must be quoted with: the machine, the versions, the commit. Callers: `results.mjs`.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/**
 * @typedef {object} Machine
 * @property {string} processor
 * @property {number} cores
 * @property {number} memoryGib
 * @property {string} system
 * @property {string} node
 * @property {string} v8
 * @property {string} millrace
 * @property {string | null} commit
 * @property {number} load how many threads wanted a core during the minute before the start
 */

/** @returns {Machine} */
export function describeMachine() {
  const cores = os.cpus();
  const { version } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  );
  return {
    processor: cores[0]?.model.trim() ?? 'unknown',
    cores: os.availableParallelism(),
    memoryGib: Math.round(os.totalmem() / 2 ** 30),
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    node: process.version,
    v8: process.versions.v8,
    millrace: version,
    commit: commitOf(),
    load: Math.round(os.loadavg()[0] * 10) / 10,
  };
}

/** Of a package that is no clone there is none to tell. */
function commitOf() {
  try {
    const git = (...args) =>
      execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: 'pipe' }).trim();
    const isClean = git('status', '--porcelain', '--untracked-files=no') === '';
    return `${git('rev-parse', '--short', 'HEAD')}${isClean ? '' : ' with changes'}`;
  } catch {
    return null;
  }
}
