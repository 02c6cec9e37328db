/**
 * Parts of a run in a test: a clock that stands still, a chain task that does what it is told, sinks that refuse, and
 * subtasks made of them. Callers: tests of the runtime.
 */
import type { Clock } from '../../../src/base/clock.js';
import type {
  Committable,
  SinkWriter,
  SourcePlan,
  SourceReader,
} from '../../../src/connector/contract.js';
import { metricsBytes } from '../../../src/metrics/metrics-layout.js';
import { EdgeMetricsWriter, TaskMetricsWriter } from '../../../src/metrics/task-metrics.js';
import {
  type ChainTask,
  type Cursor,
  STEP_DONE,
  STEP_OUT_OF_BUDGET,
  type StepResult,
  type TaskSnapshot,
} from '../../../src/operator/contract.js';
import type { Batch } from '../../../src/record/batch.js';
import type { BatchBuilder } from '../../../src/record/batch-builder.js';
import { createBatchBuilder } from '../../../src/record/batch-builder.js';
import { compileRowReader, compileRowWriter } from '../../../src/record/row-codec.js';
import { inferSchema } from '../../../src/record/infer.js';
import { SinkPort } from '../../../src/runtime/sink-port.js';
import { SourceHead, type SourceHeadParts } from '../../../src/runtime/source-head.js';
import { Subtask, type SubtaskParts } from '../../../src/runtime/subtask.js';
import { TapSite } from '../../../src/runtime/tap-site.js';
import { WATERMARK_MIN } from '../../../src/time/watermark.js';
import { MemorySchemas } from '../operator/chain-harness.js';

/** A clock that moves only when it is told. */
export class StillClock implements Clock {
  nowMs = 0;

  epochMs(): number {
    return this.nowMs;
  }

  monotonicMs(): number {
    return this.nowMs;
  }
}

/** Metrics of one subtask in memory of their own. */
export function taskMetrics(): TaskMetricsWriter {
  return new TaskMetricsWriter(new SharedArrayBuffer(metricsBytes(1, 0)), 0);
}

/** Metrics of so many channels in memory of their own. */
export function channelMetrics(channels: number): EdgeMetricsWriter[] {
  const memory = new SharedArrayBuffer(metricsBytes(1, channels));
  return Array.from({ length: channels }, (_, index) => new EdgeMetricsWriter(memory, 1, index));
}

/** A builder that holds the records. */
export function builderOf(records: readonly unknown[], capacity = 64): BatchBuilder {
  const builder = createBatchBuilder(inferSchema(records), 1, {
    capacity,
    times: false,
    kinds: false,
  });
  const write = compileRowWriter(builder.schema);
  for (const record of records) write(builder, record);
  return builder;
}

/** The records of a batch. */
export function recordsOf(batch: Batch, from = 0): unknown[] {
  const read = compileRowReader(batch.schema, null);
  return Array.from({ length: batch.rows - from }, (_, index) => read(batch, from + index));
}

/** A task whose calls are written down and answered from lists; an empty list means done. */
export class ScriptedTask implements ChainTask {
  readonly calls: string[] = [];
  /** Answers of `step`: how many rows it takes, and what it says. */
  steps: { readonly rows: number; readonly result: StepResult }[] = [];
  ends: StepResult[] = [];
  flushes: boolean[] = [];
  onStep: () => void = () => {};
  /** Those that it has taken. */
  rows = 0;

  step(input: number, batch: Batch, cursor: Cursor, rowsMax: number): StepResult {
    const rows = Math.min(rowsMax, batch.rows - cursor.position);
    const isLast = cursor.position + rows === batch.rows;
    const result = isLast ? STEP_DONE : STEP_OUT_OF_BUDGET;
    const answer = this.steps.shift() ?? { rows, result };
    this.calls.push(`step ${input} from ${cursor.position}`);
    cursor.position += answer.rows;
    this.rows += answer.rows;
    this.onStep();
    return answer.result;
  }

  needsTicks = false;
  callsInFlight: number | null = null;
  callsReport = null;
  closed: PromiseLike<unknown> | null = null;
  isTimeDue = false;
  isAhead = false;
  heldBySplit = -1;
  ahead: readonly number[] = [];
  alignIntervalMs = Infinity;
  nextProcessingTimer = Number.POSITIVE_INFINITY;
  /** What `advance` and `advanceProcessingTime` answer, and what it leaves behind the outputs. */
  advances: StepResult[] = [];
  watermarks: number[] = [];
  idle: boolean[] = [];
  heldBackMs = 0;

  advance(watermarkMs: number): StepResult {
    this.calls.push(`advance ${watermarkMs}`);
    this.isTimeDue = false;
    return this.advances.shift() ?? STEP_DONE;
  }

  advanceProcessingTime(nowMs: number): StepResult {
    this.calls.push(`processing time ${nowMs}`);
    this.nextProcessingTimer = Number.POSITIVE_INFINITY;
    return this.advances.shift() ?? STEP_DONE;
  }

  isBetweenSlices = false;
  /** Answers of `admits`; an empty list means yes. */
  admissions: boolean[] = [];

  admits(input: number, _batch: Batch, watermarkMs: number): boolean {
    const answer = this.admissions.shift() ?? true;
    this.calls.push(`${answer ? 'admits' : 'refuses'} ${input} at ${watermarkMs}`);
    return answer;
  }

  enterSplit(split: number): void {
    this.calls.push(`enter split ${split}`);
  }

  endSplit(split: number): void {
    this.calls.push(`end split ${split}`);
  }

  splitsAhead(): readonly number[] {
    return this.ahead;
  }

  inputIdle(isIdle: boolean): void {
    this.calls.push(isIdle ? 'input idle' : 'input active');
  }

  heldBack(forMs: number): void {
    this.heldBackMs += forMs;
  }

  get time(): { watermarkMs: number; isIdle: boolean } {
    return { watermarkMs: this.outputWatermark(0), isIdle: this.isOutputIdle(0) };
  }

  outputWatermark(output: number): number {
    return this.watermarks[output] ?? WATERMARK_MIN;
  }

  isOutputIdle(output: number): boolean {
    return this.idle[output] ?? false;
  }

  prepareBarrier(): StepResult {
    return STEP_DONE;
  }

  open(): null {
    return null;
  }

  inspect(): [] {
    return [];
  }

  beginSnapshot(): TaskSnapshot {
    return { step: () => true, confirm: () => {}, abort: () => {} };
  }

  snapshot(): void {}

  restore(): void {}

  endOfInput(): StepResult {
    this.calls.push('endOfInput');
    return this.ends.shift() ?? STEP_DONE;
  }

  flush(): boolean {
    this.calls.push('flush');
    return this.flushes.shift() ?? true;
  }

  close(): void {
    this.calls.push('close');
  }
}

/** A writer that takes as many rows as it is told, all of them when it is told nothing. */
export class ScriptedWriter implements SinkWriter {
  readonly bytesWritten = 0;
  readonly taken: unknown[] = [];
  readonly offers: number[] = [];
  writes: number[] = [];
  flushes: boolean[] = [];
  commits: (readonly Committable[] | null)[] = [];
  closed = 0;

  write(batch: Batch, fromRow: number): number {
    this.offers.push(fromRow);
    const rows = this.writes.shift() ?? batch.rows - fromRow;
    this.taken.push(...recordsOf(batch, fromRow).slice(0, rows));
    return rows;
  }

  flush(): boolean {
    return this.flushes.shift() ?? true;
  }

  prepareCommit(): readonly Committable[] | null {
    const answer = this.commits.shift();
    return answer === undefined ? ['done'] : answer;
  }

  close(): void {
    this.closed++;
  }
}

/** A port over a writer, open for records like the given one. */
export function sinkPortOf(writer: SinkWriter, record: unknown, batchRows = 4): SinkPort {
  const port = new SinkPort({
    writer,
    identity: { name: 'sink', uid: 'sink-uid', createdAt: null },
    schemas: new MemorySchemas(),
    batchRows,
    metrics: taskMetrics(),
    tap: new TapSite(),
  });
  port.open(inferSchema([record]), { times: false, kinds: false });
  return port;
}

/** A subtask of the parts that matter to a test. */
export function planOfSplits(splits: number): SourcePlan {
  const made = Array.from({ length: splits }, (_, index) => ({
    id: `split ${index}`,
    bytes: null,
    rows: null,
    data: null,
  }));
  return { schema: null, splits: made, bytes: null, rows: null, data: null };
}

/** The head of a source of one split, but for what is given. */
export function sourceHeadOf(
  reader: SourceReader,
  parts: Partial<SourceHeadParts> = {},
): SourceHead {
  return new SourceHead({
    reader,
    plan: planOfSplits(1),
    nextSplit: new Int32Array(1),
    dealt: null,
    restored: null,
    deadLetters: null,
    listener: new ScriptedTask(),
    ...parts,
  });
}

export function subtaskOf(parts: Partial<SubtaskParts>): Subtask {
  return new Subtask({
    vertexId: 0,
    index: 0,
    name: 'tested',
    uid: 'tested-uid',
    task: new ScriptedTask(),
    source: null,
    gate: null,
    ports: [],
    sinks: [],
    taps: [],
    barrier: null,
    markers: null,
    hadFinished: false,
    metrics: taskMetrics(),
    tickIntervalMs: 200,
    clock: new StillClock(),
    ...parts,
  });
}
