/**
 * Everything a chain task holds while it runs: what generated code is bound to. Callers: the chain task, the chain
 * compiler, generated code. Runs on: worker.
 */
import { assert } from '../base/assert.js';
import { keyGroupOf, keyGroupRange } from '../record/key-group.js';
import type { Schema } from '../record/schema.js';
import type { StreamSchemas } from '../record/schema-registry.js';
import { ChainErrors } from './chain-errors.js';
import type { AsyncRun } from './async/async-run.js';
import type { JoinRun } from './chain-join.js';
import type { KeyedRun } from './chain-keyed.js';
import type { ChainTaskOptions, SpillSpace } from './chain-options.js';
import { OutputRun } from './chain-output.js';
import type { ChainParts, LoadedPart } from './chain-parts.js';
import { PendingRecords } from './chain-pending.js';
import type { ProcessOperator, ProcessRun } from './chain-process.js';
import { ChainTime } from './chain-time.js';
import { CHAIN_INPUT, ChainTree } from './chain-tree.js';
import { isKeyed } from './operator-spec.js';
import type { SortRun } from './sort-run.js';

/** A running chain. */
export class ChainRun {
  readonly options: ChainTaskOptions;
  readonly tree: ChainTree;
  readonly errors: ChainErrors;
  readonly outputs: readonly OutputRun[];
  /** By operator; records wait at operators whose functions make them. */
  readonly pending: readonly PendingRecords[];
  /** By operator; null for those without state. */
  readonly keyed: readonly (KeyedRun | null)[];
  readonly time: ChainTime;
  /** By operator; null for those that are no process functions. */
  readonly processes: readonly (ProcessRun | null)[];
  /** By operator; null for those that are no joins. */
  readonly joins: readonly (JoinRun | null)[];
  /** By operator; null for those that do not sort. */
  readonly sorts: readonly (SortRun | null)[];
  /** The calls of the asynchronous function that heads the chain; null where none does. */
  readonly calls: AsyncRun | null;
  /** By operator: merged schema of the input, where records of it may wait; null before the first. */
  readonly heldInputs: (Schema | null)[];
  /** Items of flatMaps and entries of state that this call may still process. */
  itemsLeft = 0;
  /** First key group of this subtask: that of state without a key, and of partial aggregations. */
  readonly firstKeyGroup: number;
  readonly #streams: readonly (StreamSchemas | null)[];
  /**
   * By operator: what `recordSchema` gives. Other subtasks may have a schema widened at any moment, but all that
   * is generated together has to be for the same one.
   */
  readonly #recordSchemas: (Schema | null)[];

  constructor(options: ChainTaskOptions) {
    const { operators, outputs, random, subtask, parallelism, maxParallelism } = options;
    this.options = options;
    this.firstKeyGroup = keyGroupRange(subtask, parallelism, maxParallelism).start;
    this.tree = new ChainTree(operators, outputs);
    this.time = new ChainTime(options);
    this.errors = new ChainErrors(
      operators.map(({ spec }) => spec),
      options.vertexName,
      subtask,
    );
    this.outputs = outputs.map((output) => {
      const isRebalance = output.partitioner.kind === 'rebalance';
      return new OutputRun(output, isRebalance ? random.below(output.port.channels) : 0);
    });
    this.pending = operators.map(({ spec }, index) => {
      const notIterable = (result: unknown) => this.errors.notIterable(index, result);
      return spec.kind === 'explode'
        ? new this.stateful.PendingItems(index, notIterable)
        : new PendingRecords(index, notIterable);
    });
    this.keyed = operators.map(({ spec }, operator) =>
      isKeyed(spec)
        ? new this.stateful.KeyedRun({
            operator,
            spec,
            openTable: options.tables,
            errors: this.errors,
            clock: options.clock,
            countLate: options.countLate,
            preAggregateKeysMax: options.preAggregateKeysMax,
            space: this.#overflowSpace(operator),
            groupOf: (hash) =>
              spec.keys.length === 0 ? this.firstKeyGroup : keyGroupOf(hash, maxParallelism),
          })
        : null,
    );
    for (const keyed of this.keyed) {
      if (keyed !== null && !keyed.isPartial) this.time.timed[keyed.operator] = keyed.windows;
    }
    this.processes = operators.map(({ spec }, operator) => {
      if (spec.kind !== 'process') return null;
      const process = this.#process(spec, operator);
      this.time.timed[operator] = process;
      return process;
    });
    this.joins = operators.map(({ spec }, operator) =>
      spec.kind === 'join'
        ? new this.stateful.JoinRun({
            operator,
            spec,
            openTable: options.tables,
            errors: this.errors,
          })
        : null,
    );
    this.sorts = operators.map(({ spec }, operator) => {
      if (spec.kind !== 'sort') return null;
      const { space = null } = options;
      assert(space !== null, 'A sort has a space.');
      const sort = new this.sorting.SortRun(operator, spec, space);
      options.holds?.(sort, 'sort');
      return sort;
    });
    this.calls = this.#calls();
    if (this.calls !== null) {
      this.time.timed[0] = this.calls;
      this.time.held = this.calls;
    }
    this.heldInputs = operators.map(() => null);
    this.#streams = operators.map(({ spec }, index) =>
      'returns' in spec && spec.returns !== null ? null : options.streamSchemas(index),
    );
    this.#recordSchemas = operators.map(({ spec }) => ('returns' in spec ? spec.returns : null));
  }

  /** What operators with expressions of their own consist of; only for a chain that has one. */
  get computing(): LoadedPart<'computing'> {
    return this.#part('computing');
  }

  /** What operators with state consist of; only for a chain that has one. */
  get stateful(): LoadedPart<'stateful'> {
    return this.#part('stateful');
  }

  /** What sorts consist of; only for a chain that has one. */
  get sorting(): LoadedPart<'sorting'> {
    return this.#part('sorting');
  }

  #part<Name extends keyof ChainParts>(name: Name): LoadedPart<Name> {
    const part = this.options.parts[name];
    assert(part, 'A chain is given the parts that its operators consist of.');
    return part;
  }

  /** Where a keyed operator puts what it cannot hold: the first of a chain, as its rows are what came in. */
  #overflowSpace(operator: number): SpillSpace | null {
    const { input, spec } = this.tree.operators[operator];
    const isOfWindows = spec.kind === 'aggregate' && spec.window !== null;
    const isPartial = spec.kind === 'aggregate' && spec.phase === 'partial';
    if (input !== CHAIN_INPUT || isOfWindows || isPartial) return null;
    return this.options.space ?? null;
  }

  /**
   * Whether rows may be taken in while windows fire: where an aggregation heads the chain, and nobody behind it judges
   * records by a time that has yet to be passed on.
   */
  get takesRowsBetween(): boolean {
    const [first, ...others] = this.tree.operators.map((_, operator) => this.time.timed[operator]);
    const isAlone = others.every((timed) => timed === null) && !this.time.makesWatermarks;
    return isAlone && first !== null && this.keyed[0]?.windows === first;
  }

  #process(spec: ProcessOperator, operator: number): ProcessRun {
    const { tables, ...parts } = this.options;
    const { time, pending } = this;
    const tagged = new Map<string, PendingRecords[]>();
    for (const index of this.tree.sideOutputsOf(operator)) {
      const side = this.tree.operators[index].spec;
      assert(side.kind === 'sideOutput', 'A side output is an operator of its own.');
      tagged.set(side.tag, [...(tagged.get(side.tag) ?? []), pending[index]]);
    }
    return new this.stateful.ProcessRun({
      ...parts,
      errors: this.errors,
      operator,
      spec,
      time,
      pending: pending[operator],
      tagged,
      openTable: tables,
    });
  }

  #calls(): AsyncRun | null {
    const { operators, wake = () => {}, holds = () => {}, ...parts } = this.options;
    const operator = operators.findIndex(({ spec }) => spec.kind === 'asyncWait');
    if (operator < 0) return null;
    const [{ spec }] = operators;
    assert(
      operator === 0 && spec.kind === 'asyncWait',
      'An asynchronous function heads its chain.',
    );
    const { errors, pending } = this;
    return new this.stateful.AsyncRun({
      ...parts,
      wake,
      holds,
      operator,
      spec,
      errors,
      pending: pending[0],
    });
  }

  /** The schema of the records an operator's function makes (of its keys, for `computeKey`), if known. */
  recordSchema(operator: number): Schema | null {
    return this.#recordSchemas[operator];
  }

  /** Takes over what other subtasks have had agreed on meanwhile; before anything is generated. */
  refreshSchemas(): void {
    for (const [operator, stream] of this.#streams.entries()) {
      if (stream !== null) this.#recordSchemas[operator] = stream.current()?.schema ?? null;
    }
  }

  /** Whether the user declared the schema of an operator's records. */
  isDeclared(operator: number): boolean {
    return this.#streams[operator] === null;
  }

  /** Has a schema agreed by all producers of an operator's records; gives what was agreed. */
  propose(operator: number, schema: Schema): Schema {
    const agreed = this.#streams[operator]?.propose(schema).schema ?? schema;
    this.#recordSchemas[operator] = agreed;
    return agreed;
  }
}
