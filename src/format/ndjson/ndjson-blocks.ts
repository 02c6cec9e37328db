/**
 * Sets the row scanner up for NDJSON rows of one layout: what it is to find, and what becomes of
 * it. Callers: the NDJSON parser. Runs on: worker. Invariant: a row means what it means to the
 * general reader; values that only that one can judge end a block before their row.
 */
import { FixedAppender, StructAppender } from '../../record/appenders.js';
import type { Appender, BatchBuilder } from '../../record/batch-builder.js';
import { BinaryAppender } from '../../record/binary-appender.js';
import type { Field } from '../../record/schema.js';
import type { ValueFilter } from '../../record/value-filter.js';
import { GRAMMAR_JSON, parseNumber } from '../bytes/number-bytes.js';
import type { ValidateMode } from '../bytes/row-parser.js';
import { BlockReader } from '../structural/block-reader.js';
import {
  type BlockTarget,
  RangeTarget,
  StructTarget,
  TextTarget,
  ValuesTarget,
} from '../structural/block-targets.js';
import {
  createScanProgram,
  FLAG_MAY_LACK,
  FLAG_MAY_MISS,
  FLAG_NULLABLE,
  type ScanFilter,
  type ScanStep,
  STEP_BOOL,
  STEP_CLOSE,
  STEP_NUMBER,
  STEP_OPEN,
  STEP_RANGE,
  STEP_SKIP,
  STEP_TEXT,
  type StepKind,
} from '../structural/scan-program.js';
import { appendJson } from './json-value.js';
import type { LayoutStep, NdjsonLayout } from './ndjson-layout.js';

/** What values of columns are that filters are judged by. */
const FILTER_TYPES: ReadonlyMap<StepKind, string> = new Map([
  [STEP_NUMBER, 'number'],
  [STEP_TEXT, 'string'],
  [STEP_BOOL, 'boolean'],
]);
const NO_LEAD = new Uint8Array(0);
/** The lead of a key that no row has, as it is no UTF-8: rows that are scanned are. */
const LEAD_OF_NONE = new Uint8Array([0xff]);

/** The block reader of a layout, or null when the scanner cannot take such rows. */
export function createNdjsonBlocks(
  layout: NdjsonLayout,
  builder: BatchBuilder,
  rowStarts: Float64Array,
  validate: ValidateMode,
  filter: ValueFilter | null,
): BlockReader | null {
  const { columns } = builder;
  const absent = absentOf(layout.steps, columns);
  if (absent === null) return null;
  const scan = scanOf(layout.steps, columns);
  if (scan === null) return null;
  const program = createScanProgram({
    steps: scan.map(({ step }) => step),
    tail: Buffer.from(layout.tail, 'latin1'),
    full: validate === 'full',
    filter: filter && scanFilter(filter, layout.steps, scan, columns),
  });
  if (program === null) return null;
  const targets = scan.flatMap(({ target }) => target ?? []);
  return new BlockReader(builder, rowStarts, program, 'json', targets, absent);
}

/** A step of the program, and what becomes of its values. */
interface Scanned {
  readonly step: ScanStep;
  /** What it was made of; null for those that no key stands for. */
  readonly key: LayoutStep | null;
  readonly target: BlockTarget | null;
}

/** What is scanned of the keys of rows or of objects; null when the scanner cannot take them. */
function scanOf(
  steps: readonly LayoutStep[],
  columns: readonly Appender[],
): readonly Scanned[] | null {
  const scanned: Scanned[] = [];
  for (const step of steps) {
    const appender = step.column < 0 ? null : columns[step.column];
    if (step.fields === null || !(appender instanceof StructAppender)) {
      const target = appender && targetOf(appender);
      scanned.push({ step: scanStep(step, appender), key: step, target });
      continue;
    }
    const absent = absentOf(step.fields, appender.children);
    const fields = scanOf(step.fields, appender.children);
    if (absent === null || fields === null) return null;
    scanned.push(
      {
        step: { ...scanStep(step, appender), kind: STEP_OPEN },
        key: step,
        target: new StructTarget(appender),
      },
      ...fields,
      ...absent.map(scanOfAbsent),
      { step: { kind: STEP_CLOSE, flags: 0, lead: NO_LEAD }, key: null, target: null },
    );
  }
  return scanned;
}

/** Columns that rows of these keys never have; null when one may not miss. */
function absentOf(
  steps: readonly LayoutStep[],
  columns: readonly Appender[],
): readonly Appender[] | null {
  const present = new Set(steps.map((step) => step.column));
  const absent = columns.filter((_, index) => !present.has(index));
  return absent.every((appender) => appender.field.optional) ? absent : null;
}

/** A field that misses in every object, but is empty where there is none. */
function scanOfAbsent(appender: Appender): Scanned {
  const flags = FLAG_MAY_LACK | FLAG_MAY_MISS;
  const step: ScanStep = { kind: STEP_RANGE, flags, lead: LEAD_OF_NONE };
  return { step, key: null, target: rangeTarget(appender) };
}

/** The filter as the scanner takes it; null where it cannot judge by the column, or by values of other types. */
function scanFilter(
  { column, values }: ValueFilter,
  steps: readonly LayoutStep[],
  scan: readonly Scanned[],
  columns: readonly Appender[],
): ScanFilter | null {
  const key = steps.find((step) => columns[step.column]?.field.name === column);
  const step = scan.findIndex((one) => one.key === key);
  // A slash may be escaped, and a key that occurs twice is not to be overlooked.
  if (key === undefined || key.key.includes('/')) return null;
  const kept = keptValues(scan[step].step.kind, values);
  return kept && { step, key: Buffer.from(`"${key.key}"`, 'latin1'), values: kept };
}

function keptValues(kind: StepKind, values: ValueFilter['values']): ScanFilter['values'] | null {
  const type = FILTER_TYPES.get(kind);
  if (values.some((value) => typeof value !== type)) return null;
  if (kind === STEP_TEXT) return values.map((value) => Buffer.from(`"${value}"`));
  return Float64Array.from(values, Number);
}

function scanStep(step: LayoutStep, appender: Appender | null): ScanStep {
  const lead = Buffer.from(step.lead, 'latin1');
  const lacks = step.optional ? FLAG_MAY_LACK : 0;
  if (appender === null) return { kind: STEP_SKIP, flags: lacks, lead };
  const { field } = appender;
  const misses = field.optional ? FLAG_MAY_MISS : 0;
  const nulls = field.nullable ? FLAG_NULLABLE : 0;
  return { kind: kindOf(field), flags: lacks | misses | nulls, lead };
}

function kindOf(field: Field): StepKind {
  switch (field.type.kind) {
    case 'number':
    case 'float64':
      return STEP_NUMBER;
    case 'utf8':
      return STEP_TEXT;
    case 'bool':
      return STEP_BOOL;
    default:
      return STEP_RANGE;
  }
}

function targetOf(appender: Appender): BlockTarget {
  const kind = kindOf(appender.field);
  if (kind === STEP_TEXT && appender instanceof BinaryAppender) {
    // A text with escapes is decoded from its range with the quotes.
    return new TextTarget(
      appender,
      (row, bytes, start, end) => appendJson(appender, row, bytes, start - 1, end + 1) === 0,
    );
  }
  if (kind !== STEP_RANGE && appender instanceof FixedAppender) {
    return new ValuesTarget(appender, spelledNumber);
  }
  return rangeTarget(appender);
}

/** No value is empty: where a range is, the object around it is null or missing. */
function rangeTarget(appender: Appender): RangeTarget {
  return new RangeTarget(appender, (row, bytes, start, end) => {
    if (start !== end) return appendJson(appender, row, bytes, start, end) === 0;
    appender.setEmpty(row);
    return true;
  });
}

function spelledNumber(bytes: Buffer, start: number, end: number): number {
  return parseNumber(bytes, start, end, GRAMMAR_JSON);
}
