/**
 * Reading and writing checkpoints and savepoints without a job, `millrace/state`: re-exports only. Callers: users'
 * tools. Runs on: the caller's thread.
 */
export { explainRestore } from './api/explain-restore.js';
export type { RestoredFunctionState, StateFate } from './runtime/restored-function-states.js';
export type { RestoredOperator, RestoreFate, RestoreReport } from './runtime/restore-report.js';
export {
  type ChangedEntry,
  type DiffOptions,
  diffSavepoints,
  type SavepointDiff,
  type StateDiff,
} from './savepoint/savepoint-diff.js';
export {
  type KeyedStateEntry,
  type OperatorInfo,
  type ReadKeyedStateOptions,
  SavepointReader,
  type SourceInfo,
  type StateInfo,
} from './savepoint/savepoint-reader.js';
export { SavepointWriter, type WrittenSavepoint } from './savepoint/savepoint-writer.js';
export type { StateKind } from './savepoint/state-catalog.js';
export { valueFromJson, valueToJson } from './savepoint/value-json.js';
export type { ViewedTimer } from './savepoint/state-views.js';
