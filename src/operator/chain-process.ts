/**
 * A running process function: opens it when the types of its keys are known, calls it with records and timers that
 * are due, and takes what it gives. Callers: generated code, the chain task. Runs on: the slot's thread. Invariant:
 * a call sees the key, the time and the watermark of what it is called for, and no call happens while records
 * of an earlier one still wait to be handed on.
 */
import { type FunctionLogger, NO_LOG } from '../base/function-log.js';
import { deserialize, serialize } from 'node:v8';
import { assert } from '../base/assert.js';
import type { Clock } from '../base/clock.js';
import { MillraceError } from '../base/errors.js';
import { metricGroup, type MetricsPlace } from '../metrics/user-metrics.js';
import { type DataType, fieldIndex, type Schema } from '../record/schema.js';
import { sameType } from '../record/schema-merge.js';
import type { StateTable, TableSpec } from '../state/contract.js';
import { CurrentKey } from '../state/key-context.js';
import { KeyedStateStore } from '../state/keyed-state.js';
import { OperatorStateStore } from '../state/operator-state.js';
import { type SnapshotScope, type StateWriter, writtenAtOnce } from '../state/state-writer.js';
import type { StateSource } from '../state/table-snapshot.js';
import { WATERMARK_MAX, WATERMARK_MIN } from '../time/watermark.js';
import { keyFields, unknownField } from './aggregate-fields.js';
import type { ChainErrors } from './chain-errors.js';
import { resultKeyName } from './aggregate-fields.js';
import type { PendingRecords } from './chain-pending.js';
import type { ChainTime, TimedOperator } from './chain-time.js';
import { NO_EVENT_TIME } from './flow-row.js';
import { ENGINE_FUNCTIONS, type EngineProcessContext } from './engine-functions.js';
import type { FunctionInspection } from './function-inspection.js';
import { tableKeyType } from './key-code.js';
import { usedFields } from './lambda-fields.js';
import type { InputSide } from './operator-sides.js';
import type { OperatorSpec, UserFunction } from './operator-spec.js';
import { CallContext, NO_SIDE } from './process-context.js';
import type {
  AggregatingFunction,
  FiredTimer,
  OpenProcess,
  ProcessContext,
  ProcessFunction,
  TimeDomain,
  TimerContext,
  TimerService,
} from './process-function.js';
import { timerService, Timers } from './process-timers.js';

/** Key group of pieces that belong to no key. */
const NO_KEY_GROUP = -1;
/** Name of the piece that holds the types of the keys. */
const HEADER = 'process';
/** Name of the timers that user functions register. */
const USER_TIMERS = 'timers';
/** Keys taken out of a table in one go when a function visits all. */
const VISITED_AT_ONCE = 1024;

/** The operator that calls a process function. */
export type ProcessOperator = Extract<OperatorSpec, { kind: 'process' }>;

/** What a process function of unknown records is. */
type AnyProcess = ProcessFunction<unknown, unknown, unknown, unknown>;

/** What a running process function is made of. */
export interface ProcessRunParts {
  readonly operator: number;
  readonly spec: ProcessOperator;
  readonly subtask: number;
  readonly parallelism: number;
  readonly maxParallelism: number;
  readonly clock: Clock;
  readonly time: ChainTime;
  readonly pending: PendingRecords;
  /** Where records for a tag wait: one for each operator that reads it. */
  readonly tagged: ReadonlyMap<string, readonly PendingRecords[]>;
  readonly openTable: (uid: string, spec: TableSpec) => StateTable;
  /** Element 0 is the index of the operator whose function runs. */
  readonly control: Int32Array;
  readonly errors: ChainErrors;
  readonly countLate: (records: number) => void;
  readonly userMetrics: MetricsPlace;
  readonly log?: (operatorIndex: number) => FunctionLogger;
  /** Has entries of states leave memory, where they may. */
  readonly makeRoom?: () => void;
}

/** Timers of one clock under one name, and who is told when they fire. */
interface TimerSet {
  readonly timers: Timers;
  readonly onTimer: (timer: FiredTimer) => void;
}

/** A process function in one subtask. */
export class ProcessRun implements TimedOperator {
  readonly spec: ProcessOperator;
  readonly #parts: ProcessRunParts;
  readonly #context: CallContext;
  readonly #operatorStates: OperatorStateStore;
  readonly #services = new Map<string, TimerService>();
  readonly #event: TimerSet[] = [];
  readonly #processing: TimerSet[] = [];
  #isOpening = false;
  #function: AnyProcess | null = null;
  #key: CurrentKey | null = null;
  #states: KeyedStateStore | null = null;
  #source: StateSource | null = null;
  #hasEnded = false;
  /** The clocks of the states. */
  #nowMs = 0;
  #watermarkMs = WATERMARK_MIN;
  #entryOfRow = new Int32Array(0);
  /** What generated code has read of entries to come, so that V8 does not take the reading for useless. */
  read = 0;

  constructor(parts: ProcessRunParts) {
    this.#parts = parts;
    this.spec = parts.spec;
    this.#context = new CallContext(this, parts);
    const isBroadcast = parts.spec.isBroadcast ?? [];
    this.#operatorStates = new OperatorStateStore(
      parts.spec.uid,
      () => this.#isOpening || isBroadcast[this.#context.side] === true,
    );
  }

  /** Whether the function is keyed. */
  get isKeyed(): boolean {
    return this.spec.keys.some((keys) => keys !== null);
  }

  /**
   * Takes the schema of a side's records, and opens the function. The types of its keys become known with the first
   * records of a side that has any; those of a side without keys may come before. True when the schema of its results
   * may have become another one.
   */
  adopt(side: InputSide, schema: Schema): boolean {
    const names = this.spec.keys[side];
    for (const name of this.spec.reads?.[side] ?? []) {
      if (fieldIndex(schema, name) < 0) throw unknownField(this.spec.name, name, schema);
    }
    if (names === null) this.#open(this.isKeyed ? null : []);
    else this.#open(keyFields(this.spec.name, names, schema).map(({ type }) => tableKeyType(type)));
    return this.#aggregating?.adopt(schema) ?? false;
  }

  /** The schema of its results, where it aggregates; null where only running will tell. */
  get resultSchema(): Schema | null {
    return this.#aggregating?.resultSchema ?? null;
  }

  get #aggregating(): AggregatingFunction<unknown, unknown, unknown> | null {
    return this.spec.aggregation === undefined
      ? null
      : (this.#function as AggregatingFunction<unknown, unknown, unknown> | null);
  }

  /** The opened function. */
  get function(): AnyProcess {
    assert(this.#function !== null, 'A process function is opened before its first record.');
    return this.#function;
  }

  /** What calls of the function are given. */
  get context(): CallContext {
    return this.#context;
  }

  /** Properties of a side's records that the function can touch; null for all. */
  usedFields(side: InputSide): readonly string[] | null {
    const reads = this.spec.reads?.[side] ?? null;
    if (reads !== null) return reads;
    const fn = this.function;
    const method = side === 0 ? fn.processElement : fn.processElement2;
    return method === undefined ? null : usedFields(method as UserFunction);
  }

  get currentKey(): CurrentKey | null {
    return this.#key;
  }

  /** The table with the entry of each key; null when the function keeps nothing there. */
  get entries(): StateTable | null {
    return this.#states?.sharedTable ?? null;
  }

  /** Memory for the entry of each row of a batch, up to row `to`. */
  rowEntries(to: number): Int32Array {
    if (this.#entryOfRow.length < to) this.#entryOfRow = new Int32Array(to);
    return this.#entryOfRow;
  }

  fireEventTime(watermarkMs: number): boolean {
    this.#advanceTo(this.#nowMs, watermarkMs);
    return this.#fire(this.#event, watermarkMs);
  }

  fireProcessingTime(nowMs: number): boolean {
    // A timer fires when its millisecond is over, so that records of the same one come first.
    return this.#fire(this.#processing, nowMs - 1);
  }

  get nextProcessingTimer(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { timers } of this.#processing) next = Math.min(next, timers.firstTimeMs() + 1);
    return next;
  }

  /** Sets the clocks of the states before a batch. */
  advanceTo(nowMs: number): void {
    const { time, operator } = this.#parts;
    this.#advanceTo(nowMs, time.watermarks[operator]);
  }

  #advanceTo(nowMs: number, watermarkMs: number): void {
    if (nowMs === this.#nowMs && watermarkMs === this.#watermarkMs) return;
    this.#nowMs = nowMs;
    // That event time ends does not mean that it passes: states stay for those who look at them at the end.
    if (watermarkMs < WATERMARK_MAX) this.#watermarkMs = watermarkMs;
    this.#states?.advanceTo(nowMs, this.#watermarkMs);
  }

  /** The event time of what is at hand; where that is no record or timer, the watermark. */
  #eventTimeMs(): number {
    return this.#context.side === NO_SIDE && !this.#context.hasTime
      ? this.#watermarkMs
      : this.#context.eventTimeMs();
  }

  /** Tells the function once that its input has ended. */
  endOfInput(): void {
    if (this.#hasEnded) return;
    if (this.#function === null) this.#open(this.isKeyed ? null : []);
    this.#hasEnded = true;
    this.#context.enter(NO_SIDE, NO_EVENT_TIME, 0, -1);
    this.#call(() => this.#function?.endOfInput?.(this.#context as never));
  }

  /** Makes each key with such a state the current one, one after the other, for a call that has none. */
  eachKeyOf(state: unknown, visit: () => void): void {
    const key = this.#key;
    if (key === null) throw timersWithoutKey(this.spec.name, 'visits the keys of a state');
    if (key.isSet) throw visitedFromKey(this.spec.name);
    const keys = this.#states?.keysOf(state);
    if (keys === undefined || !keys.isBound) return;
    const { table } = keys;
    const ids = new Int32Array(VISITED_AT_ONCE);
    for (let at = 0; at >= 0; ) {
      let count = 0;
      at = table.scan(at, VISITED_AT_ONCE, (entry) => {
        ids[count++] = entry;
      });
      // A visit changes what its own key has, so the entries of the others stay what they are.
      for (let index = 0; index < count; index++) {
        key.set(table.keyOf(ids[index]));
        if (keys.find() >= 0) visit();
      }
      key.unset();
      this.#parts.makeRoom?.();
    }
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** What the function holds. */
  inspect(): FunctionInspection {
    const { uid, name, keys } = this.spec;
    const names = keys.find((side) => side !== null) ?? [];
    return {
      uid,
      name,
      keyNames: names.map((key) => resultKeyName(key, 'single')),
      keyedStates: this.#states?.names ?? [],
      operatorStates: this.#operatorStates.names,
      timers: () =>
        this.#allTimers()
          .flatMap(({ timers }) => timers.all())
          .toSorted((a, b) => a.timeMs - b.timeMs),
      keyedState: (state, key) => {
        if (this.#key === null || this.#states === null) return undefined;
        this.#key.set(key);
        try {
          return this.#states.read(state);
        } finally {
          this.#key.unset();
        }
      },
      operatorState: (state) => this.#operatorStates.read(state),
    };
  }

  /** Freezes what the function keeps. One that was never opened has seen nothing, and was restored with nothing. */
  beginSnapshot(scope: SnapshotScope): readonly StateWriter[] {
    if (this.#function === null) return [];
    const { uid } = this.spec;
    const types = this.#key?.types ?? null;
    return [
      writtenAtOnce((sink) => sink.put(uid, HEADER, NO_KEY_GROUP, serialize(types), false)),
      ...this.#operatorStates.beginSnapshot(),
      ...(this.#states?.beginSnapshot(scope) ?? []),
      ...this.#allTimers().flatMap(({ timers }) => timers.beginSnapshot(scope) ?? []),
    ];
  }

  restore(source: StateSource): void {
    this.#source = source;
    this.#operatorStates.restore(source);
    for (const { bytes } of source.get(this.spec.uid, HEADER)) {
      const types = deserialize(bytes) as readonly DataType[] | null;
      this.#open(this.isKeyed ? types : []);
    }
  }

  close(): void {
    const fn = this.#function;
    this.#function = null;
    for (const { timers } of this.#allTimers()) timers.close();
    this.#states?.close();
    if (fn?.close !== undefined) this.#call(() => fn.close?.());
  }

  #allTimers(): readonly TimerSet[] {
    return [...this.#event, ...this.#processing];
  }

  /** Opens the function; with null before the types of its keys are known, which may come later. */
  #open(types: readonly DataType[] | null): void {
    if (this.#function !== null) return this.#bind(types);
    const { spec, subtask, parallelism } = this.#parts;
    this.#isOpening = true;
    const key = this.isKeyed ? new CurrentKey(types, this.#parts.maxParallelism) : null;
    this.#key = key;
    if (key !== null) {
      this.#states = new KeyedStateStore({
        uid: spec.uid,
        context: key,
        openTable: (table) => this.#parts.openTable(spec.uid, table),
        eventTimeMs: () => this.#eventTimeMs(),
      });
      // The first batch comes before the clock is told again: what it writes would have expired already.
      this.#states.advanceTo(this.#parts.clock.epochMs(), this.#watermarkMs);
      if (this.#source !== null) this.#states.restore(this.#source);
      this.#addTimers(USER_TIMERS, 0, (timer) => this.#userTimer(timer));
    }
    const context: EngineProcessContext = {
      engine: ENGINE_FUNCTIONS,
      state: this.#states ?? withoutKey(spec.name),
      operatorState: this.#operatorStates,
      subtask,
      parallelism,
      metrics: metricGroup({ place: this.#parts.userMetrics, owner: this.#parts.operator }),
      log: this.#parts.log?.(this.#parts.operator) ?? NO_LOG,
      countLate: this.#parts.countLate,
      timerService: (name, names, onTimer) =>
        this.#addTimers(`${USER_TIMERS}/${name}`, names.length, (timer) =>
          onTimer(timer, this.#context),
        ),
    };
    this.#call(() => {
      this.#function = (spec.open as OpenProcess<unknown, unknown, unknown, unknown>)(context);
    });
    this.#isOpening = false;
    this.#layOut();
    this.#checkFunction();
  }

  /** Takes the types of the keys of an opened function; those that are known stay. */
  #bind(types: readonly DataType[] | null): void {
    if (types === null) return;
    const known = this.#key?.types ?? null;
    if (this.#key === null || known !== null) return this.#checkTypes(known ?? [], types);
    this.#key.bind(types);
    this.#layOut();
  }

  /** All that is kept of keys has been declared, and their types are known. */
  #layOut(): void {
    this.#states?.bind();
    for (const { timers } of this.#allTimers()) {
      timers.bind();
      if (this.#source !== null) timers.restore(this.#source);
    }
  }

  #checkTypes(known: readonly DataType[], types: readonly DataType[]): void {
    if (known.length === types.length && known.every((type, at) => sameType(type, types[at]))) {
      return;
    }
    const names = (all: readonly DataType[]): string => all.map(({ kind }) => kind).join(', ');
    throw new MillraceError(
      'STATE_INCOMPATIBLE',
      `The keys of "${this.spec.name}" were (${names(known)}) and have become (${names(types)}).`,
      {
        where: { operator: this.spec.name, uid: this.spec.uid },
        advice: 'Cast the key to one type before keyBy().',
      },
    );
  }

  #checkFunction(): void {
    const fn: unknown = this.#function;
    const isOne =
      typeof fn === 'object' &&
      fn !== null &&
      typeof Reflect.get(fn, 'processElement') === 'function' &&
      (this.spec.keys.length === 1 || typeof Reflect.get(fn, 'processElement2') === 'function');
    if (isOne) return;
    const methods = this.spec.keys.length === 1 ? '' : ' and processElement2(record, context)';
    throw new MillraceError(
      'OPTION_INVALID',
      `The function of "${this.spec.name}" gave no object with processElement(record, context)` +
        `${methods}.`,
      {
        where: { operator: this.spec.name, uid: this.spec.uid },
        advice: 'Write process((context) => ({ processElement(record, context) { ... } })).',
      },
    );
  }

  #addTimers(name: string, spaces: number, onTimer: (timer: FiredTimer) => void): TimerService {
    const known = this.#services.get(name);
    if (known !== undefined) return known;
    const { spec, clock, time, operator } = this.#parts;
    const context = this.#key;
    const states = this.#states;
    if (context === null || states === null) throw timersWithoutKey(spec.name, 'uses timers');
    const openTable = (table: TableSpec): StateTable => this.#parts.openTable(spec.uid, table);
    const of = (domain: TimeDomain): Timers => {
      const parts = { uid: spec.uid, name, domain, context, states, spaces, openTable };
      const timers = new Timers(parts);
      // A service that is asked for when the function is open already has what was written of it.
      if (this.#source !== null && !this.#isOpening) timers.restore(this.#source);
      return timers;
    };
    const event = of('event');
    const processing = of('processing');
    const service = timerService(event, processing, {
      get currentWatermark() {
        return time.watermarks[operator];
      },
      get currentProcessingTime() {
        return clock.epochMs();
      },
    });
    this.#services.set(name, service);
    this.#event.push({ timers: event, onTimer });
    this.#processing.push({ timers: processing, onTimer });
    return service;
  }

  /** The timers user functions register; refused where there is no key. */
  get userTimers(): TimerService {
    const service = this.#services.get(USER_TIMERS);
    if (service === undefined) throw timersWithoutKey(this.spec.name, 'uses timers');
    return service;
  }

  /** Fires the first timer of all that are due. */
  #fire(sets: readonly TimerSet[], upToMs: number): boolean {
    let first: TimerSet | null = null;
    let least = upToMs;
    for (const set of sets) {
      const timeMs = set.timers.firstTimeMs();
      if (timeMs > least || (first !== null && timeMs === least)) continue;
      first = set;
      least = timeMs;
    }
    if (first === null) return false;
    const { control, operator } = this.#parts;
    const timer = first.timers.take();
    this.#context.timeDomain = timer.domain;
    this.#context.enter(NO_SIDE, timer.timeMs, 0, -1);
    control[0] = operator;
    first.onTimer(timer);
    control[0] = -1;
    this.leave();
    return true;
  }

  #userTimer(timer: FiredTimer): void {
    this.#function?.onTimer?.(timer.timeMs, this.#context as TimerContext<unknown, unknown>);
  }

  /** A call has ended: no key is current, and the context is nobody's. */
  leave(): void {
    this.#key?.unset();
    this.#context.leave();
  }

  /** What a call returned that should return nothing: an async function would go on under other keys. */
  refuseResult(result: unknown): void {
    if (typeof result !== 'object' || result === null) return;
    if (typeof Reflect.get(result, 'then') !== 'function') return;
    throw new MillraceError(
      'USER_FUNCTION_FAILED',
      `The function of "${this.spec.name}" returned a promise; a process function cannot wait.`,
      {
        where: { operator: this.spec.name, uid: this.spec.uid },
        advice: 'Write it without async and await; it is called again for the next record at once.',
      },
    );
  }

  /** Calls a function of the user outside of generated code: errors name the operator. */
  #call(run: () => void): void {
    const { control, operator, errors } = this.#parts;
    control[0] = operator;
    try {
      run();
    } catch (error) {
      throw errors.failed(error, operator, -1);
    }
    control[0] = -1;
    this.leave();
  }
}

function timersWithoutKey(operator: string, what: string): MillraceError {
  return new MillraceError(
    'STATE_WITHOUT_KEY',
    `"${operator}" ${what}, which belong to keys, but its stream has none.`,
    { where: { operator }, advice: 'Call keyBy(...) before process(...).' },
  );
}

function visitedFromKey(operator: string): MillraceError {
  return new MillraceError(
    'OPTION_INVALID',
    `"${operator}" calls applyToKeyedState while a key is current.`,
    {
      where: { operator },
      advice: 'Call it for records of a side without key, such as one that is broadcast.',
    },
  );
}

/** Keyed state where there is no key: every use says so. */
function withoutKey(operator: string): ProcessContext['state'] {
  const refuse = (): never => {
    throw new MillraceError(
      'STATE_WITHOUT_KEY',
      `"${operator}" declares keyed state, but its stream has no key.`,
      {
        where: { operator },
        advice: 'Call keyBy(...) before process(...), or use context.operatorState.',
      },
    );
  };
  return { value: refuse, list: refuse, map: refuse, reducing: refuse, aggregating: refuse };
}
