/**
 * Runs the README's test command, and once more, alone, the files that failed; what was found goes to the path that is
 * the argument. Callers: `.ci/run`.
 */
import { spawnSync } from 'node:child_process';
import { testAndRetry } from './lib/test-runs.mjs';

const passed = testAndRetry(
  process.argv[2],
  (words, env) => spawnSync('npm', ['test', '--', ...words], { stdio: 'inherit', env }).status,
);
process.exitCode = passed ? 0 : 1;
