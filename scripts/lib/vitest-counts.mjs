/**
 * Numbers of a vitest run from its JSON report. Callers: `test-nodes.mjs`, `ci-summary.mjs`. A file that could not
 * even be collected has no tests, so it counts as one that failed.
 */
import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';

/**
 * `{ passed, failed, skipped, remarks }`, or null when the run left no report; a remark is a line on a test that failed
 * or that passed at its second try only.
 */
export function vitestCounts(path) {
  if (!existsSync(path)) return null;
  const report = JSON.parse(readFileSync(path, 'utf8'));
  const broken = report.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  );
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + broken.length,
    skipped: report.numPendingTests + report.numTodoTests,
    remarks: report.testResults.flatMap(remarksOn),
  };
}

function remarksOn({ name, status, message, assertionResults }) {
  const file = relative(process.cwd(), name);
  if (status === 'failed' && assertionResults.length === 0) {
    return [`failed: ${file}: ${firstLine(message)}`];
  }
  return assertionResults
    .filter(({ failureMessages }) => failureMessages.length > 0)
    .map((test) => {
      const what = test.status === 'passed' ? 'passed at its second try only' : 'failed';
      return `${what}: ${file} > ${test.fullName}: ${firstLine(test.failureMessages[0])}`;
    });
}

function firstLine(text) {
  return text.split('\n', 1)[0];
}

/** `1142 passed, 0 failed`, and `, 2 skipped` when there are any. */
export function countsText({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
