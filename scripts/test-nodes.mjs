/**
 * `npm run test:nodes -- [22 24 26] [-- vitest arguments]`: runs the tests under the Node releases that
 * `test/nodes/package.json` pins, one after the other, and ends with code 1 when one of them failed. The releases come
 * from npm (about 190 MB each on disk) into `test/nodes/node_modules`. Linux on x64 only, as the packages are.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { countsOf, countsText, testAndRetry } from './lib/test-runs.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const home = join(root, 'test', 'nodes');
const reports = join(root, 'out', 'test-nodes');

if (process.platform !== 'linux' || process.arch !== 'x64') {
  console.error('test:nodes runs on Linux x64 only; elsewhere run `npm test` under each Node.');
  process.exit(1);
}
const split = process.argv.indexOf('--', 2);
const asked = process.argv.slice(2, split === -1 ? undefined : split);
const vitestArguments = split === -1 ? [] : process.argv.slice(split + 1);
const known = Object.keys(
  JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')).devDependencies,
);
const names = asked.length === 0 ? known : asked.map((major) => `node${major}`);
const unknown = names.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`Not pinned in test/nodes/package.json: ${unknown.join(', ')}.`);
  process.exit(1);
}

install();
const results = names.map((name) => testUnder(name));
console.log(results.map(({ text }) => text).join('\n'));
process.exitCode = results.every(({ ok }) => ok) ? 0 : 1;

function install() {
  const stamp = join(home, 'node_modules', '.millrace-setup');
  const hash = createHash('sha256')
    .update(readFileSync(join(home, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return;
  console.log('Installing the Node releases (npm ci in test/nodes)…');
  // All of them offer a command `node`, so none is linked.
  execFileSync('npm', ['ci', '--ignore-scripts', '--no-bin-links', '--no-audit', '--no-fund'], {
    cwd: home,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  writeFileSync(stamp, hash);
}

/** Runs vitest with that Node; first in the path, so that tests that start `node` get the same one. */
function testUnder(name) {
  const bin = join(home, 'node_modules', name, 'bin');
  const node = join(bin, 'node');
  const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
  const report = join(reports, `${name}.json`);
  console.log(`\nNode ${version}`);
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const passed = testAndRetry(
    report,
    (words, env) =>
      spawnSync(node, [vitest, 'run', ...words, ...vitestArguments], {
        cwd: root,
        stdio: ['ignore', 'inherit', 'inherit'],
        env: { ...env, PATH: `${bin}${delimiter}${process.env.PATH}` },
      }).status,
  );
  const counts = countsOf(report);
  const text = counts === null ? 'no report' : countsText(counts);
  const ok = passed && counts !== null && counts.failed === 0 && counts.passed > 0;
  const lines = [
    `${ok ? 'ok    ' : 'FAILED'} Node ${version}: ${text}`,
    ...(counts?.remarks ?? []),
  ];
  return { ok, text: lines.join('\n       ') };
}
