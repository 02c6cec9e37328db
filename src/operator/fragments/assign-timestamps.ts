/**
 * The fragment of `assignTimestamps`: the event time of a row is computed, checked, and becomes its mark. The
 * latest one stays in a local while the loop runs; the watermark is made from it at ticks. Callers: the chain
 * compiler. Runs on: worker, when a chain is compiled. Invariant: behind it every row has an event time, a whole
 * number of milliseconds.
 */
import type { DataType } from '../../record/schema.js';
import { EVENT_TIME_MAX, EVENT_TIME_MIN } from '../../time/watermark.js';
import type { ChainCode, Placed } from '../chain-code.js';
import { RowWithObject, StampedRow } from '../chain-row.js';
import type { CodeBlock } from '../code-block.js';
import { compileExpression } from '../expression-compiler.js';
import { DAY_MS } from '../expression-date.js';
import type { FlowRow } from '../flow-row.js';
import { usedFields } from '../lambda-fields.js';
import { checkTimestampType } from '../operator-schema.js';
import type { OperatorSpec, UserFunction } from '../operator-spec.js';

type AssignTimestamps = Placed<'assignTimestamps'>;

/** Stamps the row and hands it on. */
export function assignTimestampsFragment(
  code: ChainCode,
  placed: AssignTimestamps,
  row: FlowRow,
  place: CodeBlock,
): void {
  const { unit, run } = code;
  const { index, spec } = placed;
  const seen = rowOfFunctions(placed, row, place);
  const time = unit.fresh('eventTime');
  place.line(`const ${time} = ${timeCode(code, placed, seen, place)};`);
  if (spec.timestamp.from !== 'clock') {
    const errors = unit.constant(run.errors, 'errors');
    const field = JSON.stringify(fieldOf(spec));
    place.line(
      `if (!(${time} >= ${EVENT_TIME_MIN} && ${time} <= ${EVENT_TIME_MAX})) ` +
        `throw ${errors}.timestampMissing(${index}, ${field}, ${time});`,
    );
  }
  const assigner = unit.constant(run.time.assigner(index), `assigner${index}`);
  const { generation, idleTimeoutMs } = spec.watermarks;
  if (generation.kind === 'bounded') {
    const latest = unit.register(`${assigner}.current.maxTimeMs`, 'latest');
    place.line(`if (${time} > ${latest}) ${latest} = ${time};`);
  }
  if (idleTimeoutMs !== null) {
    place.line(`${unit.register(`${assigner}.current.hadRecords`, 'hadRecords')} = true;`);
  }
  const stamped = new StampedRow(seen, time);
  code.next(index, stamped, place);
  if (generation.kind !== 'punctuated' && generation.kind !== 'custom') return;
  // Behind the record, because its watermark says that it is done.
  code.enter(index, place);
  code.stop(place.open(`if (${assigner}.record(${seen.object(null, place)}, ${time}))`));
}

/** The row with its object built once, with all that the functions of the operator read. */
function rowOfFunctions({ spec }: AssignTimestamps, row: FlowRow, place: CodeBlock): FlowRow {
  const fns: (UserFunction | null)[] = [];
  if (spec.timestamp.from === 'function') fns.push(spec.timestamp.fn);
  if (spec.watermarks.generation.kind === 'punctuated') fns.push(spec.watermarks.generation.fn);
  if (spec.watermarks.generation.kind === 'custom') fns.push(null);
  if (fns.length === 0) return row;
  const names = new Set<string>();
  let isAll = false;
  for (const fn of fns) {
    const used = fn === null ? null : usedFields(fn);
    if (used === null) isAll = true;
    else for (const name of used) names.add(name);
  }
  const wanted = isAll ? null : [...names];
  return new RowWithObject(row, row.object(wanted, place), wanted);
}

/** Code of the event time as a number, whole unless it is none at all. */
function timeCode(
  code: ChainCode,
  { index, spec }: AssignTimestamps,
  row: FlowRow,
  place: CodeBlock,
): string {
  const { unit, run } = code;
  const { timestamp } = spec;
  switch (timestamp.from) {
    case 'function': {
      const object = row.object(usedFields(timestamp.fn), place);
      code.enter(index, place);
      const call = `${unit.constant(timestamp.fn, `timestamp${index}`)}(${object})`;
      return `${unit.constant(timeOfResult, 'timeOfResult')}(${call})`;
    }
    case 'clock': {
      const clock = unit.constant(run.time, 'time');
      return unit.hoist(`${clock}.ingestionTimeMs()`, 'now');
    }
    case 'record':
      if (row.marks.time === null) throw run.errors.timestampMissing(index, null, 'none');
      return row.marks.time;
    case 'expression': {
      const value = compileExpression(timestamp.expression, row, unit.at(place));
      checkTimestampType(spec, value.type);
      if (value.isNull === 'false') return millisecondsCode(value.type, value.value);
      return `${value.isNull} ? NaN : ${millisecondsCode(value.type, value.value)}`;
    }
  }
}

function millisecondsCode(type: DataType, value: string): string {
  switch (type.kind) {
    case 'timestamp':
      return value;
    case 'date':
      return `(${value}) * ${DAY_MS}`;
    case 'int64':
      return `Number(${value})`;
    default:
      return `Math.floor(${value})`;
  }
}

/** What a function of the user gave, as milliseconds; NaN when it is no time. */
function timeOfResult(result: unknown): number {
  if (typeof result === 'number') return Math.floor(result);
  if (result instanceof Date) return result.getTime();
  return typeof result === 'bigint' ? Number(result) : Number.NaN;
}

/** The field that holds the event time, where it is one. */
function fieldOf({
  timestamp,
}: Extract<OperatorSpec, { kind: 'assignTimestamps' }>): string | null {
  if (timestamp.from !== 'expression' || timestamp.expression.node !== 'column') return null;
  return timestamp.expression.name;
}
