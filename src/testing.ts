/**
 * The test kit for users, `millrace/testing`: re-exports only. Callers: users' tests. Runs on: the test's thread.
 */
export { forEachSeed, type SeedChoice } from './testing/for-each-seed.js';
export type { HarnessOptions } from './testing/harness-options.js';
export type { StateKey } from './testing/held-state.js';
export { ArrayRun, type RunOnArraysOptions, runOnArrays } from './testing/run-on-arrays.js';
export {
  OneInputTestHarness,
  type RegisteredTimer,
  TestHarness,
  testHarness,
  TwoInputTestHarness,
  twoInputTestHarness,
} from './testing/test-harness.js';
export { type RecordMarks, TestInput, type TimedRecord } from './testing/test-input.js';
export type { TestSnapshot } from './testing/test-instance.js';
export { type ChangeKind, type OutputEntry, TestOutput } from './testing/test-output.js';
