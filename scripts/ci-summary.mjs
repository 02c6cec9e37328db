/**
 * Prints the last lines of `.ci/run`: which tests failed or wavered, then how many passed and failed, from the
 * report of `npm test` whose path is the argument. Without a report the run counts as one failure.
 */
import { countsOf, countsText } from './lib/test-runs.mjs';

const counts = countsOf(process.argv[2]) ?? {
  passed: 0,
  failed: 1,
  skipped: 0,
  remarks: [],
};
for (const remark of counts.remarks) console.log(remark);
console.log(countsText(counts));
process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0;
