/**
 * The public api of Millrace: re-exports only. Everything that is not here may change without
 * notice. Callers: users' programs. Runs on: any thread.
 */
export {
  Aggregate,
  type AggregateFn,
  type AggregateResult,
  aggregator,
  type AggregatorParts,
  avg,
  collect,
  count,
  countDistinct,
  CustomAggregate,
  type ExactOption,
  first,
  last,
  max,
  min,
  sum,
} from './api/aggregates.js';
export type { AsyncOptions, AsyncRetryStrategy, CallOptions } from './api/async-wait.js';
export { ConnectedStreams, type CoProcessFunction } from './api/connected-streams.js';
export { type ExplainedJob, explain } from './api/explain-job.js';
export {
  type CsvOptions,
  csv,
  type FileConnector,
  ndjson,
  type Paths,
  parquet,
  text,
} from './api/files.js';
export { Flow, type SourceInput, type SourceOptions } from './api/flow.js';
export {
  type IntervalBounds,
  IntervalJoin,
  IntervalJoinedStreams,
} from './api/interval-joined-streams.js';
export { isJobDefinition, job, type JobDefinition, type ParamsOf } from './api/job.js';
export type { IterateOptions, IterationBody } from './api/iterate.js';
export { CoGroupedStreams, JoinedStreams, type JoinOptions } from './api/joined-streams.js';
export { WindowedCoGroup, WindowedJoin } from './api/joined-windows.js';
export {
  LookupJoin,
  type LookupCacheOptions,
  type LookupJoinType,
  type LookupOptions,
} from './api/lookup-join.js';
export { type EmitOptions, KeyedStream } from './api/keyed-stream.js';
export type { OperatorOptions } from './api/operator-options.js';
export type { FieldsOf, FieldType } from './api/record-types.js';
export type { ReporterOptions, RunOptions } from './api/run-options.js';
export { run, start } from './api/start.js';
export type { ReturnsOptions } from './api/returns-option.js';
export { type ExplodeOptions, type RecordOf, Stream } from './api/stream.js';
export type { TopOptions } from './api/top-options.js';
export {
  type IngestionTime,
  ingestionTime,
  type TimeValue,
  type WatermarkChoice,
  type WatermarkOptions,
} from './api/timestamps.js';
export {
  type LateField,
  WindowedStream,
  type WindowFields,
  type WindowInfo,
} from './api/windowed-stream.js';
export {
  type AlignedWindows,
  countWindow,
  cumulative,
  type GeneralWindows,
  globalWindow,
  session,
  type WindowTimeOptions,
  sliding,
  tumbling,
  type WindowOptions,
  type Windows,
  windowsBy,
} from './api/windows.js';
export type { Selection } from './api/verb-types.js';
export type { ErrorCode } from './base/error-codes.js';
export { describeError, type ErrorWhere, MillraceError } from './base/errors.js';
export type { ByteSize, Duration } from './base/units.js';
export {
  type CollectOptions,
  type CollectSink,
  collectSink,
} from './connector/collect/collect.js';
export { type CollectionOptions, collection } from './connector/collection/collection.js';
export type {
  ReaderContext,
  SinkConnector,
  SinkWriter,
  SourceConnector,
  SourceReader,
  Split,
} from './connector/contract.js';
export type { BucketContext, BucketFunction } from './connector/file-sink/buckets.js';
export type {
  CustomSink,
  CustomWriter,
  RollbackContext,
  SinkContext,
  TwoPhaseContext,
  TwoPhaseSink,
  TwoPhaseWriter,
} from './connector/custom/custom-sink.js';
export { defineSink } from './connector/custom/define-sink.js';
export { type CustomSource, defineSource } from './connector/custom/define-source.js';
export { type DatagenOptions, datagen } from './connector/datagen/datagen.js';
export {
  booleans,
  choice,
  floats,
  integers,
  normal,
  randomText,
  sequence,
  timestamps,
} from './connector/datagen/generators.js';
export { type DeadLetter, type DeadLetterPolicy, deadLetter } from './connector/dead-letters.js';
export { discard } from './connector/discard/discard.js';
export {
  fromAsync,
  type IterableContext,
  type IterableInput,
  type IterableOptions,
} from './connector/iterable/iterable.js';
export {
  type IterableSink,
  type IterableSinkOptions,
  iterableSink,
} from './connector/iterable/iterable-sink.js';
export { type PrintOptions, print } from './connector/print/print.js';
export {
  type CaseCondition,
  type CaseResult,
  type CastTarget,
  Col,
  type ColumnsOf,
  call,
  col,
  columns,
  type Literal,
  lit,
  type NamedColumn,
  when,
} from './operator/expression-builder.js';
export type {
  AsyncCall,
  AsyncContext,
  AsyncResult,
  LookupCall,
} from './operator/async/async-function.js';
export type { PairContext } from './operator/join/interval-join.js';
export type { JoinType } from './operator/join/regular-join.js';
export type { EmitMode } from './operator/operator-spec.js';
export type { FunctionLogger, LogLevel, LogLine } from './base/function-log.js';
export type { Counter, Gauge, Histogram, Meter, MetricGroup } from './metrics/user-metrics.js';
export type { MetricPoint, PointValue } from './metrics/metric-point.js';
export type { HistogramStatistics, MetricScope } from './metrics/read-user-metrics.js';
export type { MetricReporter, ReportCall, ReporterContext } from './reporters/reporter.js';
export type { UserMetric } from './runtime/metrics-snapshot.js';
export type { LatencyMetric } from './runtime/latency-places.js';
export type {
  CpuProfile,
  JobProfile,
  ProfileFrame,
  ProfileNode,
  ProfileOptions,
  ThreadProfile,
} from './runtime/job-profile.js';
export type { Tap, TapCounts, TapOptions, TapRecord } from './runtime/tap.js';
export type { ChangeKind } from './runtime/tap-protocol.js';
export type { CheckpointReport } from './checkpoint/contract.js';
export type { SavepointOptions } from './runtime/checkpoint-requests.js';
export type { ExecutionEvent, JobExecution, JobResult } from './runtime/execution.js';
export type { RestoredAttempt } from './runtime/further-attempts.js';
export {
  type ElementContext,
  type FiredTimer,
  type KeyedStates,
  type OpenProcess,
  type OperatorStates,
  type OutputTag,
  outputTag,
  type ProcessContext,
  type ProcessFunction,
  type TimeDomain,
  type TimerContext,
  type TimerService,
} from './operator/process-function.js';
export type { StateDescriptor } from './state/state-handles.js';
export type { StateTtl, TtlClock, TtlUpdate, TtlVisibility } from './state/time-to-live.js';
export type { WindowAssigner, WindowTime } from './operator/window/assigner.js';
export {
  countEvictor,
  deltaEvictor,
  type Evictor,
  type EvictorOptions,
  timeEvictor,
  type WindowElement,
} from './operator/window/evictor.js';
export {
  continuousEventTimeTrigger,
  continuousProcessingTimeTrigger,
  countTrigger,
  deltaTrigger,
  eventTimeTrigger,
  type MergeContext,
  neverTrigger,
  endOfInputTrigger,
  processingTimeoutTrigger,
  processingTimeTrigger,
  purgingTrigger,
  type TimeoutOptions,
  type Trigger,
  type TriggerContext,
  type TriggerResult,
} from './operator/window/trigger.js';
export type { TimeWindow } from './operator/window/window.js';
export type { WindowContext, WindowFunction } from './operator/window/window-operator.js';
export type { Batch } from './record/batch.js';
export {
  BinaryColumn,
  type Column,
  FixedColumn,
  Int64Column,
  NestedColumn,
  StructColumn,
} from './record/column.js';
export type { FieldPath } from './record/field-tree.js';
export type { DataType, Field, Schema } from './record/schema.js';
export type { WatermarkGenerator } from './time/watermark-strategy.js';
