/**
 * Named aggregates as a fold of records: the same accumulators of which the compiled aggregations are made, in an array
 * for each window in place of a row of a table. So filters, expressions, exact sums and all types are what they are
 * there. Callers: the window operator. Runs on: the slot's thread. Invariant: what is folded is plain data, which means
 * something with the schema of the records it was made of; that is kept beside it.
 */
import { MillraceError } from '../../base/errors.js';
import type { Schema } from '../../record/schema.js';
import { mergeSchemas } from '../../record/schema-merge.js';
import type { ListState } from '../../state/state-handles.js';
import type { Cell } from '../aggregate-accumulator.js';
import { type AggregateResults, planResults, type ResultAggregate } from '../aggregate-plan.js';
import type { CodeBlock } from '../code-block.js';
import { CodeUnit } from '../code-unit.js';
import { compileCondition, compileExpression } from '../expression-compiler.js';
import type { FieldValue, FlowRow } from '../flow-row.js';
import { EMPTY_VALUE } from '../key-entry-code.js';
import { propertyCode, recordValueCode } from '../object-code.js';
import { ObjectRow } from '../object-row.js';
import { aggregateFields } from '../operator-fields.js';
import type { Aggregation } from '../operator-spec.js';
import type { OperatorStates } from '../process-function.js';
import type { Fold } from './fold.js';

/** The accumulators of a window, one behind the other. */
type Accumulators = unknown[];

/** The functions that are generated for a schema of records. */
interface FoldCode {
  readonly create: () => Accumulators;
  readonly add: (value: Accumulators, record: unknown) => void;
  readonly merge: (into: Accumulators, from: Accumulators) => void;
  readonly result: (value: Accumulators) => Readonly<Record<string, unknown>>;
}

/** One aggregate, and where in the array it is. */
interface Placed extends ResultAggregate {
  readonly first: number;
  /** Where the set of values that were counted is; null for aggregates that count no different ones. */
  readonly values: number | null;
}

/** Whether aggregates of two sets of records can be made one of both. */
export function canMergeAll({ aggregates }: Aggregation): boolean {
  return aggregates.every(({ fn, ...of }) => fn !== 'user' || hasMerge(of));
}

function hasMerge(of: object): boolean {
  const aggregator: unknown = Reflect.get(of, 'aggregator');
  return typeof Reflect.get(aggregator as object, 'merge') === 'function';
}

/** Folds records by aggregates. */
export class AggregateFold implements Fold<unknown, Accumulators> {
  readonly #spec: Aggregation;
  /** The schema of all records so far; one of each subtask after a restore. */
  readonly #schemas: ListState<Schema>;
  #records: Schema | null = null;
  #schema: Schema | null = null;
  #layout: readonly string[] = [];
  #plan: AggregateResults | null = null;
  #code: FoldCode | null = null;

  constructor(spec: Aggregation, states: OperatorStates) {
    this.#spec = spec;
    this.#schemas = states.unionList('aggregated');
    const [first, ...others] = this.#schemas.get();
    if (first !== undefined) this.#take(others.reduce(mergeSchemas, first));
  }

  /** The schema of results; null when it is not known. */
  get resultSchema(): Schema | null {
    return this.#plan?.output ?? null;
  }

  /** Takes the schema of the records to come; true when there is something new in it. */
  adopt(records: Schema): boolean {
    if (records === this.#records) return false;
    const schema = this.#readOf(records);
    const merged = this.#schema === null ? schema : mergeSchemas(this.#schema, schema);
    if (merged !== this.#schema) this.#take(merged);
    this.#records = records;
    return true;
  }

  create(record: unknown): Accumulators {
    const value = this.#functions.create();
    this.#functions.add(value, record);
    return value;
  }

  add(value: Accumulators, record: unknown): Accumulators {
    this.#functions.add(value, record);
    return value;
  }

  merge(left: Accumulators, right: Accumulators): Accumulators {
    this.#functions.merge(left, right);
    return left;
  }

  /** The fields that a value becomes. */
  result(value: Accumulators): Readonly<Record<string, unknown>> {
    return this.#functions.result(value);
  }

  /** The fields that are read, of the records of a schema. */
  #readOf(records: Schema): Schema {
    const read = aggregateFields(this.#spec);
    if (read === null || records.shape !== 'object') return records;
    return { shape: 'object', fields: records.fields.filter(({ name }) => read.has(name)) };
  }

  #take(schema: Schema): void {
    const plan = planResults(this.#spec, schema);
    const layout = plan.aggregates.map(layoutOf);
    plan.aggregates.forEach(({ spec }, index) => {
      const [was, is] = [this.#layout[index] ?? NOTHING, layout[index]];
      if (was !== is && was !== NOTHING) throw conflict(spec.as, was, is);
    });
    this.#layout = layout;
    this.#plan = plan;
    this.#schema = schema;
    this.#code = null;
    this.#schemas.update([schema]);
  }

  get #functions(): FoldCode {
    const [schema, plan] = [this.#schema, this.#plan];
    if (schema === null || plan === null) throw new Error('No record has a schema yet.');
    this.#code ??= foldCode(schema, plan);
    return this.#code;
  }
}

/** What is kept of values of which there was none. */
const NOTHING = 'nothing';

/** How values of an aggregate are kept. */
function layoutOf({ accumulator, slot }: ResultAggregate): string {
  const kind = slot?.type.kind ?? null;
  if (kind === 'null') return NOTHING;
  const forms = accumulator.columns.map(({ form }) => form).join(' ');
  // Days and milliseconds are numbers both.
  return kind === 'date' || kind === 'timestamp' ? `${kind} ${forms}` : forms;
}

/** Generates the functions for records of a schema. */
function foldCode(schema: Schema, { aggregates }: AggregateResults): FoldCode {
  let end = 0;
  const placed = aggregates.map((aggregate): Placed => {
    const first = end;
    end += aggregate.accumulator.columns.length;
    const isDistinct = aggregate.spec.fn === 'countDistinct';
    return { ...aggregate, first, values: isDistinct ? end++ : null };
  });
  return {
    create: createCode(placed),
    add: addCode(schema, placed),
    merge: mergeCode(placed),
    result: resultCode(placed),
  };
}

function createCode(placed: readonly Placed[]): FoldCode['create'] {
  const unit = new CodeUnit();
  const empty = placed.flatMap(({ accumulator, values }) => [
    ...accumulator.columns.map(({ form }) => EMPTY_VALUE[form]),
    ...(values === null ? [] : ['new Set()']),
  ]);
  unit.body.line(`const to = [${empty.join(', ')}];`);
  for (const aggregate of placed) {
    aggregate.accumulator.create(new ArrayCell(unit, 'to', aggregate), unit.body);
  }
  return compiled(unit, 'createAccumulators', '', 'to');
}

function addCode(schema: Schema, placed: readonly Placed[]): FoldCode['add'] {
  const unit = new CodeUnit();
  const fetches = unit.body.place();
  const row = new ObjectRow(unit, schema, 'record', { time: null, kind: null }, fetches);
  for (const aggregate of placed) addRow(unit, aggregate, row);
  return compiled(unit, 'addRecord', 'to, record', 'undefined');
}

/** Adds a row, if it counts. */
function addRow(unit: CodeUnit, aggregate: Placed, row: FlowRow): void {
  const { spec, accumulator, values } = aggregate;
  const cell = filledCell(unit, 'to', aggregate);
  let place = unit.body;
  if (spec.filter !== null) {
    place = place.open(`if (${compileCondition(spec.filter, row, unit.at(place))})`);
  }
  const value =
    spec.fn === 'user' || spec.input === null
      ? null
      : compileExpression(spec.input, row, unit.at(place));
  if (value !== null && value.isNull !== 'false') place = place.open(`if (!${value.isNull})`);
  if (values !== null && value !== null) place = newValue(unit, values, value.value, place);
  accumulator.add(cell, value, row, place);
}

function mergeCode(placed: readonly Placed[]): FoldCode['merge'] {
  const unit = new CodeUnit();
  for (const aggregate of placed) {
    const [into, from] = ['to', 'from'].map((array) => filledCell(unit, array, aggregate));
    const { accumulator, values } = aggregate;
    if (values === null) {
      accumulator.merge(into, accumulator.carriedOf(from, unit.body), unit.body);
      continue;
    }
    const other = unit.fresh('other');
    const each = unit.body.open(`for (const ${other} of from[${values}])`);
    each.line(`if (!to[${values}].has(${other})) ${into.column(0)}++;`);
    each.line(`to[${values}].add(${other});`);
  }
  return compiled(unit, 'mergeAccumulators', 'to, from', 'undefined');
}

function resultCode(placed: readonly Placed[]): FoldCode['result'] {
  const unit = new CodeUnit();
  const results = placed.map((aggregate) => {
    const cell = filledCell(unit, 'to', aggregate);
    const value = aggregate.accumulator.resultOf(cell, unit.body);
    return `${propertyCode(aggregate.spec.as)}: ${recordValueCode(unit, value)}`;
  });
  return compiled(unit, 'resultOf', 'to', `{ ${results.join(', ')} }`);
}

/** Opens the block of a value that was not there before. */
function newValue(unit: CodeUnit, values: number, value: string, place: CodeBlock): CodeBlock {
  const local = unit.fresh('value');
  place.line(`const ${local} = ${value};`);
  const inside = place.open(`if (!to[${values}].has(${local}))`);
  inside.line(`to[${values}].add(${local});`);
  return inside;
}

/** The accumulator of an aggregate; what was made when there were nothing but nulls gets the form of values. */
function filledCell(unit: CodeUnit, array: string, aggregate: Placed): ArrayCell {
  const cell = new ArrayCell(unit, array, aggregate);
  if (aggregate.slot?.nullable === true) {
    aggregate.accumulator.columns.forEach(({ form }, index) => {
      if (EMPTY_VALUE[form] !== 'undefined') {
        unit.body.line(`${cell.column(index)} ??= ${EMPTY_VALUE[form]};`);
      }
    });
  }
  return cell;
}

function compiled<F>(unit: CodeUnit, name: string, parameters: string, result: string): F {
  return unit.compile(unit.print(name, parameters, result), 'millrace:windows') as F;
}

/** An accumulator in an array. */
class ArrayCell implements Cell {
  readonly unit: CodeUnit;
  /** Errors get the operator where they leave it. */
  readonly operator = -1;
  readonly #array: string;
  readonly #aggregate: Placed;

  constructor(unit: CodeUnit, array: string, aggregate: Placed) {
    this.unit = unit;
    this.#array = array;
    this.#aggregate = aggregate;
  }

  column(index: number): string {
    return `${this.#array}[${this.#aggregate.first + index}]`;
  }

  read(index: number): string {
    return this.column(index);
  }

  readText(index: number): string {
    return this.column(index);
  }

  write(index: number, value: string): string {
    return `${this.column(index)} = ${value}`;
  }

  writeText(index: number, value: FieldValue, place: CodeBlock): void {
    place.line(`${this.column(index)} = ${value.value};`);
  }

  call(code: string): string {
    return code;
  }

  fail(reason: string): string {
    const fail = this.unit.constant(inexact, 'inexact');
    return `throw ${fail}(${JSON.stringify(this.#aggregate.spec.as)}, ${JSON.stringify(reason)})`;
  }
}

function inexact(field: string, reason: string): MillraceError {
  return new MillraceError('NUMBER_INEXACT', `The sum "${field}" ${reason}.`, {
    where: { field },
    advice:
      'Cast the value to int64 for exact sums of whole numbers, or to float64 to accept rounding.',
  });
}

function conflict(field: string, was: string, is: string): MillraceError {
  return new MillraceError(
    'SCHEMA_CONFLICT',
    `Values of "${field}" have changed their type: they were kept as ${was}, and are to be ${is}.`,
    {
      where: { field },
      advice: 'Give them one type, for example by casting them in a select() before.',
    },
  );
}
