/**
 * Sets the row scanner up for NDJSON rows of one layout: what it is to find, and what becomes of
 * it. Callers: the NDJSON parser. Runs on: worker. Invariant: a row means what it means to the
 * general reader; values that only that one can judge end a block before their row.
 */
import { FixedAppender } from '../../record/appenders.js';
import type { Appender, BatchBuilder } from '../../record/batch-builder.js';
import { BinaryAppender } from '../../record/binary-appender.js';
import type { Field } from '../../record/schema.js';
import { GRAMMAR_JSON, parseNumber } from '../bytes/number-bytes.js';
import type { ValidateMode } from '../bytes/row-parser.js';
import { BlockReader } from '../structural/block-reader.js';
import {
  type BlockTarget,
  RangeTarget,
  TextTarget,
  ValuesTarget,
} from '../structural/block-targets.js';
import {
  createScanProgram,
  FLAG_MAY_LACK,
  FLAG_MAY_MISS,
  FLAG_NULLABLE,
  type ScanStep,
  STEP_BOOL,
  STEP_NUMBER,
  STEP_RANGE,
  STEP_SKIP,
  STEP_TEXT,
  type StepKind,
} from '../structural/scan-program.js';
import { appendJson } from './json-value.js';
import type { LayoutStep, NdjsonLayout } from './ndjson-layout.js';

/** The block reader of a layout, or null when the scanner cannot take such rows. */
export function createNdjsonBlocks(
  layout: NdjsonLayout,
  builder: BatchBuilder,
  rowStarts: Float64Array,
  validate: ValidateMode,
): BlockReader | null {
  const { fields } = builder.schema;
  const present = new Set(layout.steps.map((step) => step.column));
  const absent = builder.columns.filter((_, index) => !present.has(index));
  if (absent.some((appender) => !appender.field.optional)) return null;
  const program = createScanProgram({
    steps: layout.steps.map((step) => scanStep(step, fields)),
    tail: Buffer.from(layout.tail, 'latin1'),
    full: validate === 'full',
  });
  if (program === null) return null;
  const targets = layout.steps.flatMap((step) =>
    step.column < 0 ? [] : [targetOf(builder.columns[step.column])],
  );
  return new BlockReader(builder, rowStarts, program, 'json', targets, absent);
}

function scanStep(step: LayoutStep, fields: readonly Field[]): ScanStep {
  const lead = Buffer.from(step.lead, 'latin1');
  const lacks = step.optional ? FLAG_MAY_LACK : 0;
  if (step.column < 0) return { kind: STEP_SKIP, flags: lacks, lead };
  const field = fields[step.column];
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
  return new RangeTarget(
    appender,
    (row, bytes, start, end) => appendJson(appender, row, bytes, start, end) === 0,
  );
}

function spelledNumber(bytes: Buffer, start: number, end: number): number {
  return parseNumber(bytes, start, end, GRAMMAR_JSON);
}
