/**
 * Numbers of a vitest run from its JSON report. Callers: `test-nodes.mjs`, `ci-summary.mjs`. A file that could not
 * even be collected has no tests, so it counts as one that failed.
 */
import { existsSync, readFileSync } from 'node:fs';

/** `{ passed, failed, skipped }`, or null when the run left no report. */
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
  };
}

/** `1142 passed, 0 failed`, and `, 2 skipped` when there are any. */
export function countsText({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
