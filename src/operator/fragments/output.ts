/**
 * The fragment of an output: picks the channel of a row and writes its fields into the builder there. Text that
 * still is in a column is copied as bytes. Callers: the chain compiler. Runs on: worker, when a chain is compiled.
 * Invariant: every column of the builder is written once per row, and a builder that becomes full is handed on
 * before the next row.
 */
import { assert } from '../../base/assert.js';
import { MillraceError } from '../../base/errors.js';
import { Int64Appender } from '../../record/appenders.js';
import { keyGroupOf, subtaskOf } from '../../record/key-group.js';
import { isSelectable } from '../../record/row-selection.js';
import type { Schema } from '../../record/schema.js';
import { sameType } from '../../record/schema-merge.js';
import { unknownField } from '../aggregate-fields.js';
import type { ChainCode } from '../chain-code.js';
import type { ChainErrors } from '../chain-errors.js';
import { NO_EVENT_TIME, type FieldValue, type FlowRow } from '../flow-row.js';
import type { OutputRun } from '../chain-output.js';
import type { CodeBlock } from '../code-block.js';
import type { CodeUnit } from '../code-unit.js';
import { tupleHashCode } from '../key-code.js';
import { usedFields } from '../lambda-fields.js';
import type { UserFunction } from '../operator-spec.js';
import { type ColumnTarget, writeFieldCode, writeRecordCode } from './write-field.js';

/** A builder that lacks this part of its rows, as a power of two, is nearly full. */
const NEARLY_FULL_SHIFT = 3;

/** The builder of a row in generated code. */
interface RowTarget {
  readonly builder: string;
  readonly row: string;
  /** The channel, for handing it on. */
  readonly channel: string;
  column(field: number): ColumnTarget;
  /** The array of marks of the rows. */
  marks(name: 'times' | 'kinds'): string;
  /** Code that counts the row; its value is the new count. */
  readonly count: string;
}

/** Names of the fields that leave, in order. Records that are no objects leave whole. */
export function outputSchema(schema: Schema, columns: readonly string[] | null): Schema {
  if (columns === null || schema.shape !== 'object') return schema;
  const wanted = new Set(columns);
  return { shape: 'object', fields: schema.fields.filter((field) => wanted.has(field.name)) };
}

/** Writes a row to output `index`. */
export function outputFragment(
  code: ChainCode,
  index: number,
  row: FlowRow,
  place: CodeBlock,
): void {
  const { unit, run } = code;
  const output = run.outputs[index];
  const { schema } = output;
  assert(schema !== null && row.schema !== null, 'An output is open before its code is generated.');
  const whole = outputSchema(row.schema, output.output.columns);
  if (whole === row.schema) row.useAllFields();
  place.comment(`output ${index}: ${output.output.partitioner.kind}`);
  const run0 = unit.constant(output, `output${index}`);
  const columns = unchangedColumns(unit, output, row, whole);
  if (columns !== null) {
    const channel = output.builders.length === 1 ? '0' : channelCode(code, index, row, place);
    dealCode(code, run0, columns, channel, place);
    return;
  }
  const target =
    output.builders.length === 1
      ? singleTarget(code, output, index)
      : channelTarget(code, output, run0, channelCode(code, index, row, place), place);
  writeRow(code, output, row, whole, target, place);
  const { capacity } = output.builders[0];
  if (output.builders.length > 1) {
    const full = place.open(`if (${target.count} === ${capacity})`);
    code.stop(full.open(`if (!${run0}.flush(${target.channel}))`));
    return;
  }
  flushCode(code, run0, target, capacity, place);
}

/**
 * Where the fields of the output lie in the batch, by index of the column; null when rows do not travel as they are:
 * then every field is written for each row.
 */
function unchangedColumns(
  unit: CodeUnit,
  output: OutputRun,
  row: FlowRow,
  whole: Schema,
): readonly number[] | null {
  const { schema, dealer } = output;
  const [builder] = output.builders;
  if (dealer === null || schema === null || schema.shape !== whole.shape) return null;
  // Rows without fields may come from anywhere.
  if (schema.fields.length === 0) return null;
  const leaving = new Set(whole.fields.map((field) => field.name));
  const columns: number[] = [];
  for (const field of schema.fields) {
    const value = leaving.has(field.name) ? row.field(field.name) : null;
    const source = value?.source;
    if (value === null || source === undefined || !isSelectable(field)) return null;
    if (source.index === null) return null;
    if (!sameType(value.type, field.type)) return null;
    columns.push(source.index);
  }
  // Asked last: only a function over rows of a batch has one to read marks from.
  const { time, kind } = row.marks;
  if (builder.times !== null && time !== batchMark(unit, 'times', time)) return null;
  if (builder.kinds !== null && kind !== batchMark(unit, 'kinds', kind)) return null;
  return columns;
}

/** Code of the mark that a row has in its batch; null when the row at hand has none, which then differs. */
function batchMark(unit: CodeUnit, name: 'times' | 'kinds', mark: string | null): string | null {
  return mark === null ? '' : `${unit.hoist(`batch.${name}`, name)}[row]`;
}

/** Notes the row under its channel; it is handed on with the others of the batch. */
function dealCode(
  { unit, kept }: ChainCode,
  run: string,
  columns: readonly number[],
  channel: string,
  place: CodeBlock,
): void {
  const dealer = unit.hoist(`${run}.dealer`, 'dealer');
  unit.atStart(`${dealer}.begin(batch, ${unit.constant(columns, 'columns')}, to - from);`);
  const rows = unit.hoist(`${dealer}.rows`, 'dealtRows');
  const ends = unit.hoist(`${dealer}.ends`, 'dealtEnds');
  const at = unit.fresh('dealtAt');
  place.line(`const ${at} = ${ends}[${channel}];`);
  place.line(`${rows}[${at}] = row;`);
  place.line(`${ends}[${channel}] = (${at} + ${kept ?? 1}) | 0;`);
}

/**
 * Counts a row of the only builder and hands it on when full. Where that is asked behind a loop over rows, nearly full
 * is full: the loop would take but a few rows until it asked again, and fewer each time when not all of them are kept.
 */
function flushCode(
  code: ChainCode,
  run: string,
  target: RowTarget,
  capacity: number,
  place: CodeBlock,
): void {
  const { room, kept, unit } = code;
  place.line(kept === null ? `${target.count};` : `${target.row} = (${target.row} + ${kept}) | 0;`);
  if (room !== null) room.limits.push(`${capacity} - ${target.row}`);
  const enough =
    room === null
      ? unit.hoist(`${run}.enough`, 'enough')
      : capacity - (capacity >> NEARLY_FULL_SHIFT);
  const full = (room?.behind ?? place).open(`if (${target.row} >= ${enough})`);
  full.line(`${target.builder}.rows = ${target.row};`);
  code.stop(full.open(`if (!${run}.flush(0))`));
  full.line(`${target.row} = ${target.builder}.rows | 0;`);
}

/**
 * One builder: its row count is a local of the function. The builder and its arrays are constants of it, since code is
 * generated anew when an output is opened anew; V8 then needs neither their types nor their addresses in the loop.
 */
function singleTarget({ unit }: ChainCode, output: OutputRun, index: number): RowTarget {
  const builder = unit.constant(output.builders[0], `out${index}`);
  const row = unit.register(`${builder}.rows`, `rows${index}`, `${builder}.rows | 0`);
  return {
    builder,
    row,
    channel: '0',
    count: `++${row}`,
    marks: (name) => {
      const hint = `out${index}_${name}`;
      return unit.hoist(unit.constant(output.builders[0][name], `${hint}_array`), hint);
    },
    column: (field) => {
      const [appender] = output.appenders[field];
      const hint = `out${index}_${appender.field.name}`;
      return {
        appender: () => unit.constant(appender, `${hint}_column`),
        // V8 takes a constant for what it is only when a local is set to it before the loop.
        values: () => unit.hoist(unit.constant(output.values[field][0], `${hint}_array`), hint),
        words: () => {
          assert(appender instanceof Int64Appender, 'Columns of whole numbers have words.');
          return unit.hoist(unit.constant(appender.words, `${hint}_words`), `${hint}_words`);
        },
      };
    },
  };
}

/** One builder per channel, picked by the local of the channel. */
function channelTarget(
  { unit }: ChainCode,
  output: OutputRun,
  run: string,
  channel: string,
  place: CodeBlock,
): RowTarget {
  const builders = unit.hoist(`${run}.builders`, 'builders');
  const builder = unit.fresh('builder');
  const row = unit.fresh('outRow');
  place.line(`const ${builder} = ${builders}[${channel}];`);
  place.line(`const ${row} = ${builder}.rows;`);
  return {
    builder,
    row,
    channel,
    count: `(${builder}.rows = ${row} + 1)`,
    marks: (name) => `${builder}.${name}`,
    column: (field) => {
      const { name } = output.appenders[field][0].field;
      const of = (kind: 'appenders' | 'values'): string =>
        `${unit.hoist(`${run}.${kind}[${field}]`, `${name}_${kind}`)}[${channel}]`;
      const appender = (): string => of('appenders');
      return { appender, values: () => of('values'), words: () => `${appender()}.words` };
    },
  };
}

function writeRow(
  code: ChainCode,
  output: OutputRun,
  row: FlowRow,
  whole: Schema,
  target: RowTarget,
  place: CodeBlock,
): void {
  const { schema } = output;
  assert(schema !== null, 'An output is open before its code is generated.');
  if (schema.shape !== whole.shape) {
    // Another producer of the edge gives records of another shape, so all of them travel as they are.
    writeRecordCode(code.unit, schema.fields[0], row, target.row, target.column(0), place);
  } else {
    const leaving = new Set(whole.fields.map((field) => field.name));
    schema.fields.forEach((field, index) => {
      const value = leaving.has(field.name) ? row.field(field.name) : null;
      writeFieldCode(code.unit, field, value, target.row, target.column(index), place);
    });
  }
  const [builder] = output.builders;
  if (builder.times !== null) {
    place.line(`${target.marks('times')}[${target.row}] = ${row.marks.time ?? NO_EVENT_TIME};`);
  }
  if (builder.kinds !== null) {
    place.line(`${target.marks('kinds')}[${target.row}] = ${row.marks.kind ?? '0'};`);
  }
}

/** Code that computes the channel of a row; gives a local. */
function channelCode(code: ChainCode, index: number, row: FlowRow, place: CodeBlock): string {
  const { unit, run } = code;
  const { output } = run.outputs[index];
  const { partitioner } = output;
  const channels = run.outputs[index].builders.length;
  const channel = unit.fresh('channel');
  const state = unit.constant(run.outputs[index], `output${index}`);
  switch (partitioner.kind) {
    case 'hash': {
      const hash = hashOf(code, index, partitioner.keys, row, place);
      const groups = output.maxParallelism ?? run.options.maxParallelism;
      const group = `${unit.constant(keyGroupOf, 'keyGroupOf')}(${hash}, ${groups})`;
      const owners = unit.constant(groupOwners(channels, groups), 'groupOwners');
      place.line(`const ${channel} = ${owners}[${group}];`);
      break;
    }
    case 'shuffle':
      place.line(
        `const ${channel} = ${unit.constant(run.options.random, 'random')}.below(${channels});`,
      );
      break;
    case 'custom': {
      const record = row.object(usedFields(partitioner.fn), place);
      const pick = unit.constant(
        channelPicker(partitioner.fn, channels, run.errors, output.after),
        'pickChannel',
      );
      place.line(`const ${channel} = ${pick}(${record});`);
      break;
    }
    case 'rebalance':
    case 'rescale': {
      const next = unit.register(`${state}.next`, 'nextChannel');
      place.line(`const ${channel} = ${next};`);
      place.line(`${next} = ${channel} + 1 === ${channels} ? 0 : ${channel} + 1;`);
      break;
    }
    case 'global':
      place.line(`const ${channel} = 0;`);
      break;
    default:
      throw new MillraceError(
        'GRAPH_INVALID',
        `A ${partitioner.kind} output has ${channels} builders; it can have one.`,
      );
  }
  return channel;
}

/** The channel of every key group: a look-up is cheaper than the division it stands for. */
function groupOwners(channels: number, groups: number): Uint16Array {
  return Uint16Array.from({ length: groups }, (_, group) => subtaskOf(group, channels, groups));
}

function hashOf(
  code: ChainCode,
  index: number,
  keys: readonly string[],
  row: FlowRow,
  place: CodeBlock,
): string {
  const { unit, run } = code;
  const { after } = run.outputs[index].output;
  const errors = unit.constant(run.errors, 'errors');
  const values = keys.map((name): FieldValue => {
    const value = row.field(name);
    if (value === null) {
      const operator = run.tree.operators[after]?.spec.name ?? run.options.vertexName;
      throw unknownField(operator, name, row.schema ?? { shape: 'object', fields: [] });
    }
    if (value.isNull !== 'false') {
      place.line(
        `if (${value.isNull}) throw ${errors}.nullKey(${after}, ${JSON.stringify(name)});`,
      );
    }
    return value;
  });
  return tupleHashCode(unit, values, place);
}

/** Calls a custom partitioner and checks what it gives. */
function channelPicker(
  fn: UserFunction,
  channels: number,
  errors: ChainErrors,
  operator: number,
): (record: unknown) => number {
  return (record) => {
    let channel: unknown;
    try {
      channel = fn(record, channels);
    } catch (cause) {
      throw errors.partitionerFailed(operator, cause);
    }
    const isChannel =
      Number.isInteger(channel) && Number(channel) >= 0 && Number(channel) < channels;
    if (!isChannel) throw errors.channelOutOfRange(operator, channel, channels);
    return Number(channel);
  };
}
