/**
 * Runs of vitest that tell their numbers at the end. A file that failed is run again when all others are through, alone
 * on the machine: what fails then too has failed, what passes is named as something to mend. Callers: `test-nodes.mjs`,
 * `test-in-ci.mjs`, `ci-summary.mjs`.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const REPORTER = fileURLToPath(new URL('test-reporter.mjs', import.meta.url));
/** More files than these fail by more than chance. */
const MOST_FILES_AGAIN = 10;

/**
 * Runs the tests by `run`, which takes arguments of vitest and an environment and gives an exit code; what they found is
 * kept at `path` for `countsOf`. True when all passed, those that failed at their second try.
 */
export function testAndRetry(path, run) {
  const retry = pathOfRetry(path);
  for (const old of [path, retry]) rmSync(old, { force: true });
  const tryOnce = (report, words) =>
    run(['--reporter=default', `--reporter=${REPORTER}`, ...words], {
      ...process.env,
      TEST_RUN_REPORT: report,
    }) === 0;
  if (tryOnce(path, [])) return true;
  if (!existsSync(path)) return false;
  const { files, errors } = read(path);
  const failed = files.filter(hasFailed).map(({ name }) => name);
  if (errors.length > failed.length || failed.length > MOST_FILES_AGAIN) return false;
  console.log(`\nFailed, and run again alone: ${failed.join(', ')}`);
  return tryOnce(retry, ['--no-file-parallelism', ...failed]);
}

/**
 * `{ passed, failed, skipped, remarks }` of the run and of its retry, or null when it left no report; a remark is a line
 * on a test that failed or that did not pass at once.
 */
export function countsOf(path) {
  if (!existsSync(path)) return null;
  const { files, errors } = read(path);
  const retried = new Map();
  if (existsSync(pathOfRetry(path))) {
    for (const file of read(pathOfRetry(path)).files) retried.set(file.name, file);
  }
  const last = files.map((file) => retried.get(file.name) ?? file);
  const states = last.flatMap(({ tests }) => tests.map(({ state }) => state));
  const passed = states.filter((state) => state === 'passed').length;
  const failed = states.filter((state) => state === 'failed').length;
  const lost = last.filter(({ errors: those }) => those.length > 0).length;
  return {
    passed,
    failed: failed + lost,
    skipped: states.length - passed - failed,
    remarks: [
      ...errors.map((message) => `an error outside of all files: ${message}`),
      ...files
        .filter(({ name }) => retried.has(name))
        .flatMap((it) => remarksOn(it, 'once failed')),
      ...last.flatMap((file) => remarksOn(file, 'failed')),
    ],
  };
}

function pathOfRetry(path) {
  return path.replace(/\.json$/, '.again.json');
}

function read(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

function hasFailed({ errors, tests }) {
  return errors.length > 0 || tests.some(({ state }) => state === 'failed');
}

function remarksOn({ name, errors, tests }, failed) {
  return [
    ...errors.map((message) => `${failed}: ${name}: ${message}`),
    ...tests
      .filter((test) => test.errors.length > 0)
      .map((test) => {
        const what = test.state === 'passed' ? 'passed at its second try only' : failed;
        return `${what}: ${name} > ${test.name}: ${test.errors[0]}`;
      }),
  ];
}

/** `1142 passed, 0 failed`, and `, 2 skipped` when there are any. */
export function countsText({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
