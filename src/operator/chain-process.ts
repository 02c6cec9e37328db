/**
 * A running process function: opens it when the types of its keys are known, calls it with records and timers that
 * are due, and takes what it gives. Callers: generated code, the chain task. Runs on: the slot's thread. Invariant:
 * a call sees the key, the time and the watermark of what it is called for, and no call happens while records
 * of an earlier one still wait to be handed on.
 */
import { deserialize, serialize } from 'node:v8';
import { assert } from '../base/assert.js';
import type { Clock } from '../base/clock.js';
import { MillraceError } from '../base/errors.js';
import type { DataType, Schema } from '../record/schema.js';
import { sameType } from '../record/schema-merge.js';
import type { StateTable, TableSpec } from '../state/contract.js';
import { CurrentKey } from '../state/key-context.js';
import { KeyedStateStore } from '../state/keyed-state.js';
import { OperatorStateStore } from '../state/operator-state.js';
import type { StateSink, StateSource } from '../state/table-snapshot.js';
import { keyFields, resultKeyName } from './aggregate-fields.js';
import type { PendingRecords } from './chain-pending.js';
import type { ChainTime, TimedOperator } from './chain-time.js';
import { NO_EVENT_TIME } from './flow-row.js';
import { tableKeyType } from './key-code.js';
import type { InputSide } from './operator-sides.js';
import type { OperatorSpec } from './operator-spec.js';
import type {
  FiredTimer,
  OpenProcess,
  OutputTag,
  ProcessContext,
  ProcessFunction,
  TimeDomain,
  TimerContext,
  TimerService,
} from './process-function.js';
import { type DueTimer, Timers } from './process-timers.js';

/** Name of the piece that holds the types of the keys. */
const HEADER = 'process';
/** Name of the timers that user functions register. */
const USER_TIMERS = 'timers';

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
}

/** Timers of both clocks under one name, and who is told when they fire. */
interface TimerSet {
  readonly service: TimerService;
  readonly event: Timers;
  readonly processing: Timers;
  readonly onTimer: (timer: FiredTimer) => void;
}

/** A process function in one subtask. */
export class ProcessRun implements TimedOperator {
  readonly spec: ProcessOperator;
  /** Records that the function counted as too late. */
  late = 0;
  readonly #parts: ProcessRunParts;
  readonly #context: CallContext;
  readonly #operatorStates: OperatorStateStore;
  readonly #timerSets = new Map<string, TimerSet>();
  #function: AnyProcess | null = null;
  #key: CurrentKey | null = null;
  #states: KeyedStateStore | null = null;
  #source: StateSource | null = null;
  #hasEnded = false;

  constructor(parts: ProcessRunParts) {
    this.#parts = parts;
    this.spec = parts.spec;
    this.#context = new CallContext(this, parts);
    this.#operatorStates = new OperatorStateStore(parts.spec.uid);
  }

  /** Whether the function is keyed. */
  get isKeyed(): boolean {
    return this.spec.keys.some((keys) => keys !== null);
  }

  /** Takes the schema of a side's records; the function is opened when the types of its keys are known. */
  adopt(side: InputSide, schema: Schema): void {
    const names = this.spec.keys[side];
    const types =
      names === null
        ? []
        : keyFields(this.spec.name, names, schema).map(({ type }) => tableKeyType(type));
    if (names !== null || !this.isKeyed) this.#open(types);
  }

  /** Calls the function with a record; its key was set before. */
  element(side: InputSide, record: unknown, timeMs: number, kind: number, row: number): void {
    const fn = this.#function;
    assert(fn !== null, 'A process function is opened before its first record.');
    this.#context.enter(timeMs, kind, row);
    if (side === 0) return fn.processElement(record, this.#context);
    assert(fn.processElement2 !== undefined, 'A function with two sides takes records of both.');
    fn.processElement2(record, this.#context);
  }

  /** Makes a key the current one; hash and key group are those of the exchange. */
  setKey(key: readonly unknown[], hash: number, keyGroup: number): void {
    this.#key?.setHashed(key, hash, keyGroup);
  }

  /** Records of a side without a key follow. */
  unsetKey(): void {
    this.#key?.unset();
  }

  get currentKey(): CurrentKey | null {
    return this.#key;
  }

  fireEventTime(watermarkMs: number): boolean {
    return this.#fire(this.#first((set) => set.event, watermarkMs));
  }

  fireProcessingTime(nowMs: number): boolean {
    this.#states?.advanceTo(nowMs);
    // A timer fires when its millisecond is over, so that records of the same one come first.
    return this.#fire(this.#first((set) => set.processing, nowMs - 1));
  }

  get nextProcessingTimer(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { processing } of this.#timerSets.values()) {
      next = Math.min(next, processing.firstTimeMs() + 1);
    }
    return next;
  }

  /** Sets the clock of the states before a batch. */
  advanceTo(nowMs: number): void {
    this.#states?.advanceTo(nowMs);
  }

  /** Tells the function once that its input has ended. */
  endOfInput(): void {
    if (this.#hasEnded) return;
    if (this.#function === null && !this.isKeyed) this.#open([]);
    this.#hasEnded = true;
    this.#key?.unset();
    this.#context.enter(NO_EVENT_TIME, 0, -1);
    this.#call(() => this.#function?.endOfInput?.(this.#context as never));
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  snapshot(sink: StateSink): void {
    const { uid } = this.spec;
    // One that was never opened has seen nothing, and was restored with nothing.
    if (this.#function === null) return;
    sink.put(uid, HEADER, -1, serialize(this.#key?.types ?? null));
    this.#operatorStates.snapshot(sink);
    this.#states?.snapshot(sink);
    for (const { event, processing } of this.#timerSets.values()) {
      event.snapshot(sink);
      processing.snapshot(sink);
    }
  }

  restore(source: StateSource): void {
    this.#source = source;
    this.#operatorStates.restore(source);
    for (const { bytes } of source.get(this.spec.uid, HEADER)) {
      this.#open((deserialize(bytes) as readonly DataType[] | null) ?? []);
    }
  }

  close(): void {
    const fn = this.#function;
    this.#function = null;
    for (const { event, processing } of this.#timerSets.values()) {
      event.close();
      processing.close();
    }
    this.#timerSets.clear();
    this.#states?.close();
    fn?.close?.();
  }

  #open(types: readonly DataType[]): void {
    const { spec, subtask, parallelism } = this.#parts;
    if (this.#function !== null) return this.#checkTypes(types);
    const key = this.isKeyed ? new CurrentKey(types, this.#parts.maxParallelism) : null;
    this.#key = key;
    if (key !== null) {
      this.#states = new KeyedStateStore({
        uid: spec.uid,
        context: key,
        openTable: (table) => this.#parts.openTable(spec.uid, table),
      });
      if (this.#source !== null) this.#states.restore(this.#source);
      this.#addTimers(USER_TIMERS, 0, (timer) => this.#userTimer(timer));
    }
    const context: ProcessContext = {
      state: this.#states ?? withoutKey(spec.name),
      operatorState: this.#operatorStates,
      subtask,
      parallelism,
      countLate: (records) => {
        this.late += records;
      },
      timerService: (name, names, onTimer) =>
        this.#addTimers(`${USER_TIMERS}/${name}`, names.length, (timer) =>
          onTimer(timer, this.#context),
        ),
    };
    this.#call(() => {
      this.#function = (spec.open as OpenProcess<unknown, unknown, unknown, unknown>)(context);
    });
    this.#checkFunction();
  }

  #checkTypes(types: readonly DataType[]): void {
    const known = this.#key?.types ?? [];
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
    const known = this.#timerSets.get(name);
    if (known !== undefined) return known.service;
    const { spec, clock, time, operator } = this.#parts;
    const context = this.#key;
    if (context === null) throw timersWithoutKey(spec.name);
    const openTable = (table: TableSpec): StateTable => this.#parts.openTable(spec.uid, table);
    const of = (domain: TimeDomain): Timers => {
      const timers = new Timers({ uid: spec.uid, name, domain, context, spaces, openTable });
      if (this.#source !== null) timers.restore(this.#source);
      return timers;
    };
    const event = of('event');
    const processing = of('processing');
    const service: TimerService = {
      registerEventTime: (timeMs, ...space) => event.register(timeMs, space),
      registerProcessingTime: (timeMs, ...space) => processing.register(timeMs, space),
      deleteEventTime: (timeMs, ...space) => event.delete(timeMs, space),
      deleteProcessingTime: (timeMs, ...space) => processing.delete(timeMs, space),
      get currentWatermark() {
        return time.watermarks[operator];
      },
      get currentProcessingTime() {
        return clock.epochMs();
      },
    };
    this.#timerSets.set(name, { service, event, processing, onTimer });
    return service;
  }

  /** The timers user functions register; refused where there is no key. */
  get userTimers(): TimerService {
    const set = this.#timerSets.get(USER_TIMERS);
    if (set === undefined) throw timersWithoutKey(this.spec.name);
    return set.service;
  }

  /** The set whose first timer comes first and is due. */
  #first(timersOf: (set: TimerSet) => Timers, upToMs: number): [TimerSet, Timers] | null {
    let first: [TimerSet, Timers] | null = null;
    let least = upToMs;
    for (const set of this.#timerSets.values()) {
      const timers = timersOf(set);
      const timeMs = timers.firstTimeMs();
      if (timeMs > least || (first !== null && timeMs === least)) continue;
      first = [set, timers];
      least = timeMs;
    }
    return first;
  }

  #fire(first: [TimerSet, Timers] | null): boolean {
    if (first === null) return false;
    const [set, timers] = first;
    const timer: DueTimer = timers.take();
    this.#key?.set(timer.key);
    this.#context.enter(timer.timeMs, 0, -1);
    this.#context.timeDomain = timer.domain;
    this.#call(() => set.onTimer(timer));
    return true;
  }

  #userTimer(timer: FiredTimer): void {
    this.#function?.onTimer?.(timer.timeMs, this.#context as TimerContext<unknown, unknown>);
  }

  /** Calls a function of the user outside of generated code: errors name the operator. */
  #call(run: () => void): void {
    const { control, operator } = this.#parts;
    control[0] = operator;
    run();
    control[0] = -1;
  }
}

/** The context of all calls of one function: it stands for the one at hand. */
class CallContext implements TimerContext<unknown, unknown> {
  timeDomain: TimeDomain = 'event';
  readonly #run: ProcessRun;
  readonly #pending: PendingRecords;
  readonly #tagged: ProcessRunParts['tagged'];
  readonly #names: readonly string[];
  #timeMs = NO_EVENT_TIME;
  #kind = 0;
  #row = -1;

  // Properties, so that a function may take them out of the context by destructuring.
  readonly collect = (record: unknown, timestamp?: number): void => {
    if (record === undefined) throw undefinedRecord('collect');
    this.#pending.hold(record, timestamp ?? this.#timeMs, this.#kind, this.#row, undefined);
  };

  readonly output = <T>(tag: OutputTag<T>, record: T, timestamp?: number): void => {
    if (record === undefined) throw undefinedRecord('output');
    for (const pending of this.#tagged.get(tag.id) ?? []) {
      pending.hold(record, timestamp ?? this.#timeMs, this.#kind, this.#row, undefined);
    }
  };

  constructor(run: ProcessRun, { pending, tagged, spec }: ProcessRunParts) {
    this.#run = run;
    this.#pending = pending;
    this.#tagged = tagged;
    const keys = spec.keys.find((names) => names !== null) ?? [];
    this.#names = keys.map((name) => resultKeyName(name, 'single'));
  }

  enter(timeMs: number, kind: number, row: number): void {
    this.#timeMs = timeMs;
    this.#kind = kind;
    this.#row = row;
  }

  get key(): unknown {
    const key = this.#run.currentKey;
    if (key === null) return undefined;
    const values = key.key;
    return Object.fromEntries(this.#names.map((name, at) => [name, values[at]]));
  }

  get timestamp(): number {
    // A record may have no event time; a timer always has one, as the type of its context says.
    return (this.#timeMs === NO_EVENT_TIME ? null : this.#timeMs) as number;
  }

  get timers(): TimerService {
    return this.#run.userTimers;
  }
}

function undefinedRecord(method: string): MillraceError {
  return new MillraceError('OPTION_INVALID', `context.${method}(...) was given undefined.`, {
    advice: 'Give a record; to give none, do not call it.',
  });
}

function timersWithoutKey(operator: string): MillraceError {
  return new MillraceError(
    'STATE_WITHOUT_KEY',
    `"${operator}" uses timers, which belong to keys, but its stream has none.`,
    { where: { operator }, advice: 'Call keyBy(...) before process(...).' },
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
