/**
 * A chain task: one subtask of one compiled chain. It compiles the functions of the chain when it meets the
 * schemas they are for, calls them in slices, and settles between two calls what they left: outputs that were
 * full, items of flatMaps, records without a schema, aggregations that hold as much as they may. Callers: the
 * subtask loop of the runtime, tests. Runs on: the slot's thread. Invariant: a row that was consumed is in an
 * output, in state, or pending; a user function is called once per record.
 */
import type { CallsReport } from '../metrics/task-metrics.js';
import type { Batch } from '../record/batch.js';
import type { Schema } from '../record/schema.js';
import {
  ChainCompiler,
  type DrainFunction,
  type Generated,
  type RowsFunction,
} from './chain-compiler.js';
import type { JoinRun } from './chain-join.js';
import type { KeyedRun } from './chain-keyed.js';
import type { ChainTaskOptions, CompiledChain } from './chain-options.js';
import type { PendingRecords } from './chain-pending.js';
import type { ProcessRun } from './chain-process.js';
import { ChainRun } from './chain-run.js';
import type { TimedOperator } from './chain-time.js';
import { marksOf, prepareSchemas, schemaBehind } from './chain-schemas.js';
import type { Cursor, SnapshotSink, SnapshotSource, StepResult, TaskSnapshot } from './contract.js';
import {
  STEP_DONE,
  STEP_OUT_OF_BUDGET,
  STEP_OUT_OF_CALLS,
  STEP_OUT_OF_OUTPUT,
} from './contract.js';
import { WATERMARK_MAX } from '../time/watermark.js';
import type { FunctionInspection } from './function-inspection.js';
import type { InputSide } from './operator-sides.js';
import type { TimeDomain } from './process-function.js';
import { RecordSettling } from './record-settling.js';
import type { SortRun } from './sort-run.js';
import { CHAIN_INPUT } from './chain-tree.js';
import type { Overflow } from './overflow.js';

/** Items of flatMaps and entries of state that a call may process for each row of its budget. */
const ITEMS_PER_ROW = 8;
/** Rows of a partition that are taken before the size of the state is looked at. */
const PARTITION_ROWS = 4096;

/** A function over batches, and which it is for. */
interface BoundRows {
  readonly run: RowsFunction;
  readonly input: number;
  readonly schemaVersion: number;
  readonly hasTimes: boolean;
  readonly hasKinds: boolean;
  readonly isSelected: boolean;
}

/** The snapshot of a chain without state. */
const NO_STATE: TaskSnapshot = { step: () => true, confirm() {}, abort() {} };

/** Makes the task of one subtask of a chain. */
export function createChainTask(options: ChainTaskOptions): CompiledChain {
  return new CompiledChainTask(options);
}

class CompiledChainTask implements CompiledChain {
  readonly #run: ChainRun;
  /** The operators with states that may expire. */
  readonly #keepers: readonly ProcessRun[];
  /** Functions over batches, by input, schema version, marks and whether rows are selected. */
  readonly #rows: BoundRows[] = [];
  /** The one that ran last. */
  #lastRows: BoundRows | null = null;
  /** Functions over pending records and state entries, by operator. */
  readonly #pending = new Map<number, DrainFunction>();
  readonly #entries = new Map<number, DrainFunction>();
  /** Functions over pairs that wait, by operator and side. */
  readonly #pairs = new Map<string, DrainFunction>();
  /** The newest text of each function, by what it runs over. */
  readonly #code = new Map<string, string>();
  /** Whether any batch so far had event times, and kinds; outputs then have them for good. */
  #times = false;
  #kinds = false;
  /** Whether the aggregation that heads the chain has windows to fire that are due already. */
  #isFiring = false;
  /** Whether entries of an aggregation are on their way out, maybe from an earlier call. */
  #isEmitting = false;
  readonly #settling: RecordSettling;
  readonly #makeRoom: () => void;

  constructor(options: ChainTaskOptions) {
    this.#makeRoom = options.makeRoom ?? (() => {});
    this.#run = new ChainRun(options);
    this.#settling = new RecordSettling(this.#run);
    this.#keepers = this.#run.processes.filter((process) => process !== null);
    options.control[0] = -1;
  }

  open(): PromiseLike<void> | null {
    return this.#run.calls?.open() ?? null;
  }

  get callsInFlight(): number | null {
    return this.#run.calls?.inFlight ?? null;
  }

  get callsReport(): CallsReport | null {
    return this.#run.calls;
  }

  step(input: number, batch: Batch, cursor: Cursor, budgetRows: number): StepResult {
    const to = Math.min(batch.rows, cursor.position + budgetRows);
    this.#run.itemsLeft = budgetRows * ITEMS_PER_ROW;
    this.#expireStates();
    for (;;) {
      const settled = this.#settle();
      if (settled !== STEP_DONE) return settled;
      if (cursor.position >= to) break;
      if (this.#run.calls?.isFull === true) return STEP_OUT_OF_CALLS;
      if (this.#run.keyed[0]?.overflows(this.#times) === true) this.#invalidate();
      const rows = this.#rowsFunction(input, batch);
      if (rows === null) return STEP_OUT_OF_OUTPUT;
      // Not while ids of entries that are on their way out are held, as between two slices of firing.
      const first = this.#run.keyed[0];
      if (first === null || first === undefined || first.at >= first.count) this.#makeRoom();
      cursor.position = rows(batch, cursor.position, to);
      if (this.#run.time.isDue) break;
    }
    return cursor.position >= batch.rows ? STEP_DONE : STEP_OUT_OF_BUDGET;
  }

  advance(watermarkMs: number, cursor: Cursor, budgetRows: number): StepResult {
    const { time, tree } = this.#run;
    time.enter(watermarkMs);
    this.#run.itemsLeft = budgetRows * ITEMS_PER_ROW;
    this.#expireStates();
    for (; cursor.position < tree.operators.length; cursor.position++) {
      const watermark = time.take(cursor.position);
      const fired = this.#fire(cursor.position, 'event', watermark);
      this.#isFiring = fired !== STEP_DONE && cursor.position === 0;
      if (fired !== STEP_DONE) return fired;
      // What a partial aggregation holds, of rows or of timers before it, goes out before the watermark does.
      const isIdle = time.isIdleBehind(cursor.position);
      const emitted = this.#emitAll(
        (keyed) => keyed.operator === cursor.position && keyed.isDue(watermark, isIdle),
      );
      if (emitted !== STEP_DONE) return emitted;
      this.#leave(cursor.position);
    }
    time.held?.passed();
    return STEP_DONE;
  }

  advanceProcessingTime(nowMs: number, cursor: Cursor, budgetRows: number): StepResult {
    const { tree } = this.#run;
    this.#run.itemsLeft = budgetRows * ITEMS_PER_ROW;
    this.#advanceStates(nowMs);
    for (; cursor.position < tree.operators.length; cursor.position++) {
      const fired = this.#fire(cursor.position, 'processing', nowMs);
      this.#isFiring = fired !== STEP_DONE && cursor.position === 0;
      if (fired !== STEP_DONE) return fired;
    }
    return STEP_DONE;
  }

  get isBetweenSlices(): boolean {
    return this.#isFiring && this.#run.takesRowsBetween;
  }

  admits(input: number, batch: Batch, watermarkMs: number): boolean {
    const [keyed] = this.#run.keyed;
    // Other records may need other tables, into which entries that are on their way out would have to move.
    const isKnown =
      this.#rows.some((rows) => isFor(rows, input, batch)) || keyed?.knows(batch.schema) === true;
    return isKnown && keyed?.admits(batch, watermarkMs) === true;
  }

  inputIdle(isIdle: boolean): void {
    this.#run.time.isInputIdle = isIdle;
  }

  heldBack(forMs: number): void {
    this.#run.time.heldBackMs += forMs;
  }

  get needsTicks(): boolean {
    return this.#run.time.needsTicks;
  }

  get isAhead(): boolean {
    return this.#run.time.isAhead;
  }

  enterSplit(split: number): void {
    this.#run.time.enterSplit(split);
  }

  endSplit(split: number): void {
    this.#run.time.endSplit(split);
  }

  splitsAhead(): readonly number[] {
    return this.#run.time.splitsAhead();
  }

  get heldBySplit(): number {
    return this.#run.time.heldBySplit;
  }

  get alignIntervalMs(): number {
    return this.#run.time.alignIntervalMs;
  }

  get isTimeDue(): boolean {
    return this.#run.time.isDue;
  }

  get nextProcessingTimer(): number {
    return this.#run.time.nextProcessingTimer;
  }

  get time(): { readonly watermarkMs: number; readonly isIdle: boolean } {
    const outputs = this.#run.outputs.map((_, output) => output);
    return {
      watermarkMs: Math.min(WATERMARK_MAX, ...outputs.map((one) => this.outputWatermark(one))),
      isIdle: outputs.length > 0 && outputs.every((one) => this.isOutputIdle(one)),
    };
  }

  outputWatermark(output: number): number {
    return this.#run.time.behind(this.#run.outputs[output].output.after);
  }

  isOutputIdle(output: number): boolean {
    return this.#run.time.isIdleBehind(this.#run.outputs[output].output.after);
  }

  prepareBarrier(_cursor: Cursor, budgetRows: number): StepResult {
    this.#run.itemsLeft = budgetRows * ITEMS_PER_ROW;
    return this.#emitAll((keyed) => keyed.isPartial);
  }

  endOfInput(_cursor: Cursor, budgetRows: number): StepResult {
    this.#run.itemsLeft = budgetRows * ITEMS_PER_ROW;
    for (let operator = 0; operator < this.#run.tree.operators.length; operator++) {
      const ended = this.#end(operator);
      if (ended !== STEP_DONE) return ended;
    }
    return this.#settle();
  }

  beginSnapshot(full: boolean, isConfirmable = true): TaskSnapshot {
    const { stateful } = this.#run.options.parts;
    if (!stateful) return NO_STATE;
    return new stateful.ChainSnapshot(this.#run, { full, isConfirmable });
  }

  snapshot(sink: SnapshotSink): void {
    this.#run.options.parts.stateful?.snapshotChain(this.#run, sink);
  }

  restore(source: SnapshotSource): void {
    this.#run.options.parts.stateful?.restoreChain(this.#run, source);
  }

  inspect(): readonly FunctionInspection[] {
    return this.#run.processes.flatMap((process) => process?.inspect() ?? []);
  }

  flush(): boolean {
    let all = true;
    for (const output of this.#run.outputs) {
      if (!output.flushAll()) all = false;
    }
    return all;
  }

  close(): void {
    this.#invalidate();
    for (const keyed of this.#run.keyed) keyed?.close();
    for (const join of this.#run.joins) join?.close();
    for (const sort of this.#run.sorts) sort?.close();
    // Last, because they may run code of the user: functions, and iterators that are told that nobody reads on.
    const failures: unknown[] = [];
    const attempt = (close: () => void): void => {
      try {
        close();
      } catch (error) {
        failures.push(error);
      }
    };
    for (const one of [...this.#run.processes, ...this.#run.pending]) attempt(() => one?.close());
    attempt(() => this.#run.calls?.close());
    if (failures.length > 0) throw failures[0];
  }

  get closed(): PromiseLike<unknown> | null {
    return this.#run.calls?.closed ?? null;
  }

  code(): string {
    return [...this.#code.values()].join('\n\n');
  }

  prepare(input: number, batch: Batch): boolean {
    if (this.#rowsFunction(input, batch) === null) return false;
    return this.#run.keyed.every((keyed) => {
      const isDue = keyed !== null && keyed.emitsEntries && keyed.kept !== null;
      return !isDue || this.#entriesFunction(keyed) !== null;
    });
  }

  /** Lets an operator do all that is due, one thing at a time, and hands on what comes of it. */
  #fire(operator: number, domain: TimeDomain, upToMs: number): StepResult {
    const timed = this.#run.time.timed[operator];
    const windows = this.#run.keyed[operator];
    for (;;) {
      const settled = this.#settle();
      if (settled !== STEP_DONE || timed === null) return settled;
      if (windows !== null && windows.at < windows.count) {
        const emitted = this.#emit(windows);
        if (emitted !== STEP_DONE) return emitted;
      }
      if (this.#run.itemsLeft <= 0) return STEP_OUT_OF_BUDGET;
      this.#makeRoom();
      do {
        if (!this.#fireOne(timed, operator, domain, upToMs)) return STEP_DONE;
        this.#run.itemsLeft--;
      } while (windows === null && this.#run.itemsLeft > 0 && this.#isHandedOn(operator));
    }
  }

  /** Hands on at once what a function gave; false when something is in the way of the rest. */
  #isHandedOn(operator: number): boolean {
    const { pending, tree } = this.#run;
    if (!pending[operator].isEmpty && pending[operator].drain() !== 0) return false;
    const sides = tree.sideOutputsOf(operator);
    for (let at = 0; at < sides.length; at++) {
      const side = pending[sides[at]];
      if (!side.isEmpty && side.drain() !== 0) return false;
    }
    return true;
  }

  #fireOne(timed: TimedOperator, operator: number, domain: TimeDomain, upToMs: number): boolean {
    try {
      return domain === 'event' ? timed.fireEventTime(upToMs) : timed.fireProcessingTime(upToMs);
    } catch (error) {
      throw this.#run.errors.failed(error, operator, -1);
    }
  }

  /** Sets the clock by which states expire to now; a look at it is a number on the heap. */
  #expireStates(): void {
    if (this.#keepers.length > 0) this.#advanceStates(this.#run.options.clock.epochMs());
  }

  #advanceStates(nowMs: number): void {
    for (let at = 0; at < this.#keepers.length; at++) this.#keepers[at].advanceTo(nowMs);
  }

  /** Lets what is behind an operator have its watermark; a generator of the user may be asked for it. */
  #leave(operator: number): void {
    this.#named(operator, () => this.#run.time.leave(operator));
  }

  /** Calls what may call functions of the user: errors name the operator. */
  #named<R>(operator: number, call: () => R): R {
    try {
      return call();
    } catch (error) {
      throw this.#run.errors.failed(error, operator, -1);
    }
  }

  /** Finishes what earlier calls left: blocked outputs, pending records, full partial aggregations. */
  #settle(): StepResult {
    for (;;) {
      const handed = this.#handOn();
      if (handed !== STEP_DONE) return handed;
      const full = this.#fullKeyed();
      if (full === null) return STEP_DONE;
      const emitted = this.#emit(full);
      if (emitted !== STEP_DONE) return emitted;
    }
  }

  // What every step asks is asked by plain loops: callbacks and iterators would be garbage of every batch.

  #fullKeyed(): KeyedRun | null {
    const { keyed } = this.#run;
    for (let index = 0; index < keyed.length; index++) {
      const run = keyed[index];
      if (run?.isFull === true) return run;
    }
    return null;
  }

  /** Operators further down come first: their records are older. */
  #waitingRecords(): PendingRecords | null {
    const { pending } = this.#run;
    for (let index = pending.length - 1; index >= 0; index--) {
      if (!pending[index].isEmpty) return pending[index];
    }
    // Answers would come into a table on its way out.
    if (this.#isEmitting) return null;
    return this.#run.calls?.handOn() === true ? pending[0] : null;
  }

  /** Joins head their chains: what waits behind them is older. */
  #waitingPairs(): JoinRun | null {
    const { joins } = this.#run;
    for (let index = 0; index < joins.length; index++) {
      if (joins[index]?.isWaiting === true) return joins[index];
    }
    return null;
  }

  /** Hands on what blocked outputs hold and what is pending. */
  #handOn(): StepResult {
    const { outputs } = this.#run;
    for (;;) {
      for (let index = 0; index < outputs.length; index++) {
        if (!outputs[index].retry()) return STEP_OUT_OF_OUTPUT;
      }
      const waiting = this.#waitingRecords();
      const pairs = waiting === null ? this.#waitingPairs() : null;
      if (waiting === null && pairs === null) return STEP_DONE;
      if (this.#run.itemsLeft <= 0) return STEP_OUT_OF_BUDGET;
      if (waiting !== null && this.#settling.settle(waiting)) this.#invalidate();
      const drain =
        waiting !== null
          ? this.#pendingFunction(waiting)
          : pairs !== null
            ? this.#pairsFunction(pairs)
            : null;
      if (drain === null) return STEP_OUT_OF_OUTPUT;
      drain();
    }
  }

  /** The input of an operator has ended: it hands on what it held back for this. */
  #end(operator: number): StepResult {
    const settled = this.#settle();
    if (settled !== STEP_DONE) return settled;
    const { calls } = this.#run;
    if (operator === 0 && calls !== null && !calls.isEmpty) return STEP_OUT_OF_CALLS;
    const keyed = this.#run.keyed[operator];
    if (keyed !== null) return this.#endKeyed(keyed);
    const sort = this.#run.sorts[operator];
    if (sort !== null) return this.#emitSorted(sort);
    const process = this.#run.processes[operator];
    if (process === null || process.hasEnded) return STEP_DONE;
    // What operators before it held back may have registered timers, of times that are over.
    const watermarkMs = this.#run.time.watermarks[operator];
    const fired = this.#fire(operator, 'event', watermarkMs);
    if (fired !== STEP_DONE) return fired;
    this.#named(operator, () => process.endOfInput());
    return this.#settle();
  }

  /** Gives the results of an operator, and of what it had put aside. */
  #endKeyed(keyed: KeyedRun): StepResult {
    const { overflow } = keyed;
    do {
      const taken = overflow === null ? STEP_DONE : this.#takePartition(keyed, overflow);
      if (taken !== STEP_DONE) return taken;
      const emitted = keyed.emitsAtEnd && keyed.hasEntries ? this.#emit(keyed) : STEP_DONE;
      if (emitted !== STEP_DONE) return emitted;
    } while (this.#named(keyed.operator, () => keyed.nextPartition()));
    return this.#settle();
  }

  /** Takes rows that were put aside as input again, until there are none left in their partition. */
  #takePartition(keyed: KeyedRun, overflow: Overflow): StepResult {
    while (overflow.isReading) {
      if (this.#run.itemsLeft <= 0) return STEP_OUT_OF_BUDGET;
      const take = this.#partitionFunction(keyed);
      if (take === null) return STEP_OUT_OF_OUTPUT;
      const before = Math.min(this.#run.itemsLeft, PARTITION_ROWS);
      overflow.left = before;
      take();
      this.#run.itemsLeft -= before - overflow.left;
      // Not before: some keys are taken in from every partition, so that there is an end.
      keyed.overflows(this.#times);
      const handed = this.#handOn();
      if (handed !== STEP_DONE) return handed;
    }
    return STEP_DONE;
  }

  #emitSorted(sort: SortRun): StepResult {
    while (this.#named(sort.operator, () => sort.hasNext)) {
      if (this.#run.itemsLeft <= 0) return STEP_OUT_OF_BUDGET;
      const emit = this.#entriesFunction(sort);
      if (emit === null) return STEP_OUT_OF_OUTPUT;
      sort.left = this.#run.itemsLeft;
      emit();
      this.#run.itemsLeft = sort.left;
      const handed = this.#handOn();
      if (handed !== STEP_DONE) return handed;
    }
    sort.close();
    return STEP_DONE;
  }

  /** Emits the entries of the keyed operators that `isDue` picks, upstream ones first. */
  #emitAll(isDue: (keyed: KeyedRun) => boolean): StepResult {
    const settled = this.#settle();
    if (settled !== STEP_DONE) return settled;
    for (const keyed of this.#run.keyed) {
      if (keyed === null || !isDue(keyed) || !keyed.hasEntries) continue;
      const emitted = this.#emit(keyed);
      if (emitted !== STEP_DONE) return emitted;
      const after = this.#settle();
      if (after !== STEP_DONE) return after;
    }
    return STEP_DONE;
  }

  #emit(keyed: KeyedRun): StepResult {
    this.#isEmitting = true;
    while (keyed.at < keyed.count || keyed.fill()) {
      if (this.#run.itemsLeft <= 0) return STEP_OUT_OF_BUDGET;
      const emit = this.#entriesFunction(keyed);
      if (emit === null) return STEP_OUT_OF_OUTPUT;
      const first = keyed.at;
      keyed.limit = Math.min(keyed.count, first + this.#run.itemsLeft);
      emit();
      this.#run.itemsLeft -= keyed.at - first;
      const handed = this.#handOn();
      if (handed !== STEP_DONE) return handed;
    }
    keyed.endOfEntries();
    keyed.mustEmit = false;
    this.#isEmitting = false;
    return STEP_DONE;
  }

  #rowsFunction(input: number, batch: Batch): RowsFunction | null {
    const last = this.#lastRows;
    if (last !== null && isFor(last, input, batch)) return last.run;
    for (let index = 0; index < this.#rows.length; index++) {
      const known = this.#rows[index];
      if (!isFor(known, input, batch)) continue;
      this.#lastRows = known;
      return known.run;
    }
    return this.#compileRows(input, batch);
  }

  #compileRows(input: number, batch: Batch): RowsFunction | null {
    const { times, kinds, schema, schemaVersion, selection = null } = batch;
    const hasTimes = times !== null;
    const hasKinds = kinds !== null;
    const isSelected = selection !== null;
    const marks = `${hasTimes ? 't' : ''}${hasKinds ? 'k' : ''}${isSelected ? 's' : ''}`;
    this.#times ||= hasTimes;
    this.#kinds ||= hasKinds;
    const side = this.#run.options.inputSides?.[input] ?? 0;
    const compiler = this.#prepare(-1, schema, side);
    if (compiler === null) return null;
    const run = this.#keep(`rows ${input}:${schemaVersion}:${marks}`, compiler.rows(input, batch));
    const rows = { run, input, schemaVersion, hasTimes, hasKinds, isSelected };
    this.#rows.push(rows);
    this.#lastRows = rows;
    return run;
  }

  #pendingFunction(pending: PendingRecords): DrainFunction | null {
    const { operator } = pending;
    const known = this.#pending.get(operator);
    if (known !== undefined) return known;
    const compiler = this.#prepare(operator, null);
    if (compiler === null) return null;
    const drain = this.#keep(`pending ${operator}`, compiler.pending(operator));
    this.#pending.set(operator, drain);
    pending.drain = drain;
    return drain;
  }

  #pairsFunction({ operator, side }: JoinRun): DrainFunction | null {
    const label = `pairs ${operator}:${side}`;
    const known = this.#pairs.get(label);
    if (known !== undefined) return known;
    const compiler = this.#prepare(operator, null);
    if (compiler === null) return null;
    const drain = this.#keep(label, compiler.rest(operator, side));
    this.#pairs.set(label, drain);
    return drain;
  }

  #partitionFunction({ operator, input }: KeyedRun): DrainFunction | null {
    const label = `partition ${operator}`;
    const known = this.#pairs.get(label);
    if (known !== undefined) return known;
    const compiler = this.#prepare(CHAIN_INPUT, input);
    if (compiler === null) return null;
    const take = this.#keep(label, compiler.partition(operator));
    this.#pairs.set(label, take);
    return take;
  }

  #entriesFunction({ operator }: KeyedRun | SortRun): DrainFunction | null {
    const known = this.#entries.get(operator);
    if (known !== undefined) return known;
    const compiler = this.#prepare(operator, null);
    if (compiler === null) return null;
    const emit = this.#keep(`entries ${operator}`, compiler.entries(operator));
    this.#entries.set(operator, emit);
    return emit;
  }

  #keep<F>(label: string, generated: Generated<F>): F {
    this.#code.set(label, generated.code);
    return generated.run;
  }

  /**
   * Opens and plans what stands behind an operator; null while an output cannot be opened. `input` is the schema of
   * the chain's input, for operator -1, which comes from `side`.
   */
  #prepare(operator: number, input: Schema | null, side: InputSide = 0): ChainCompiler | null {
    this.#run.refreshSchemas();
    const schema = operator < 0 ? input : schemaBehind(this.#run, operator);
    const marks = marksOf(this.#run, operator, { times: this.#times, kinds: this.#kinds });
    const prepared = prepareSchemas(this.#run, operator, schema, { marks, side });
    if (prepared.isChanged) this.#invalidate();
    return prepared.isBusy ? null : new ChainCompiler(this.#run, prepared.schemas);
  }

  /** Forgets all code, because schemas, builders or plans it was made for have changed. */
  #invalidate(): void {
    this.#rows.length = 0;
    this.#lastRows = null;
    this.#pending.clear();
    this.#entries.clear();
    this.#pairs.clear();
    for (const pending of this.#run.pending) pending.invalidate();
  }
}

/** Whether a function can run over a batch of an input. */
function isFor(rows: BoundRows, input: number, batch: Batch): boolean {
  return (
    rows.input === input &&
    rows.schemaVersion === batch.schemaVersion &&
    rows.hasTimes === (batch.times !== null) &&
    rows.hasKinds === (batch.kinds !== null) &&
    rows.isSelected === (batch.selection !== null && batch.selection !== undefined)
  );
}
