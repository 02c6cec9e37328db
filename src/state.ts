/**
 * Reading and writing checkpoints and savepoints without a job, `millrace/state`: re-exports only. Callers: users'
 * tools. Runs on: the caller's thread.
 */
export {
  type KeyedStateEntry,
  type OperatorInfo,
  type ReadKeyedStateOptions,
  SavepointReader,
  type SourceInfo,
  type StateInfo,
} from './savepoint/savepoint-reader.js';
export type { StateKind } from './savepoint/state-catalog.js';
export { valueFromJson, valueToJson } from './savepoint/value-json.js';
export type { ViewedTimer } from './savepoint/state-views.js';
