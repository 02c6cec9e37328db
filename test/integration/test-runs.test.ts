/** Runs of the suite in CI: what counts as failed, and what is run again. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { countsOf, countsText, testAndRetry } from '../../scripts/lib/test-runs.mjs';

interface Report {
  readonly files: readonly object[];
  readonly errors: readonly string[];
}

const test = (name: string, state: string, ...errors: string[]) => ({ name, state, errors });
const file = (name: string, tests: readonly object[], ...errors: string[]) => ({
  name,
  tests,
  errors,
});
const GOOD = file('good.test.ts', [test('a', 'passed'), test('b', 'skipped')]);

describe('a run of the suite', () => {
  let directory: string;
  let path: string;
  let asked: string[][];

  /** A run whose tries leave these reports, one after the other; null leaves none. */
  function run(...tries: readonly (Report | null)[]): boolean {
    asked = [];
    return testAndRetry(path, (words: string[], env: Record<string, string>) => {
      const report = tries[asked.push(words) - 1];
      if (report === undefined) throw new Error('Nobody expects another try.');
      // Commands that tests run would take it for a setting.
      const added = Object.keys(env).filter((name) => !(name in process.env));
      expect(added.filter((name) => name.startsWith('MILLRACE_'))).toEqual([]);
      if (report === null) return 1;
      writeFileSync(env['TEST_RUN_REPORT'] ?? '', JSON.stringify(report));
      return JSON.stringify(report).match(/"failed"|"errors":\["/) === null ? 0 : 1;
    });
  }

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-runs-'));
    path = join(directory, 'test.json');
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('that passes is run once', () => {
    expect(run({ files: [GOOD], errors: [] })).toBe(true);
    expect(countsOf(path)).toEqual({ passed: 1, failed: 0, skipped: 1, remarks: [] });
  });

  it('runs again the files that failed, alone, and says so', () => {
    const bad = (state: string, ...errors: string[]) =>
      file('bad.test.ts', [test('c', state, ...errors)]);
    const first = { files: [GOOD, bad('failed', 'late')], errors: [] };
    expect(run(first, { files: [bad('passed')], errors: [] })).toBe(true);
    expect(asked[1]).toContain('--no-file-parallelism');
    expect(asked[1]?.filter((word) => word.endsWith('.test.ts'))).toEqual(['bad.test.ts']);
    const counts = countsOf(path);
    if (counts === null) throw new Error('The report is gone.');
    expect(counts.remarks).toEqual(['once failed: bad.test.ts > c: late']);
    expect(countsText(counts)).toBe('2 passed, 0 failed, 1 skipped');

    expect(run(first, { files: [bad('failed', 'wrong')], errors: [] })).toBe(false);
    expect(countsOf(path)).toMatchObject({ passed: 1, failed: 1 });
    expect(countsOf(path)?.remarks).toContain('failed: bad.test.ts > c: wrong');
  });

  it('counts a file whose process died as failed, though none of its tests is', () => {
    const dead = file('dead.test.ts', [test('d', 'pending')], 'its process ended before it did');
    const whole = { files: [GOOD, dead], errors: ['Worker exited unexpectedly'] };
    expect(run(whole, { files: [dead], errors: [] })).toBe(false);
    expect(countsOf(path)).toMatchObject({ passed: 1, failed: 1 });
    const alive = file('dead.test.ts', [test('d', 'passed')]);
    expect(run(whole, { files: [alive], errors: [] })).toBe(true);
    expect(countsOf(path)).toMatchObject({ passed: 2, failed: 0 });
  });

  it('fails at once without a report, by errors of no file, and by too many files', () => {
    expect(run(null)).toBe(false);
    expect(countsOf(path)).toBe(null);
    expect(run({ files: [GOOD], errors: ['nobody knows whose'] })).toBe(false);
    const names = Array.from({ length: 11 }, (_, index) => `bad-${index}.test.ts`);
    const files = names.map((name) => file(name, [test('e', 'failed', 'no')]));
    expect(run({ files, errors: [] })).toBe(false);
    expect(countsOf(path)).toMatchObject({ passed: 0, failed: 11 });
  });
});
