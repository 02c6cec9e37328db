/**
 * Finds the schema of every operator's output for the records that enter a function of generated code, and makes
 * outputs and keyed state ready for them, before any code is generated. Callers: the chain task. Runs on: worker.
 * Invariant: an operator whose records have no schema yet gives null, and nothing behind it is touched.
 */
import type { Schema } from '../record/schema.js';
import { mergeSchemas } from '../record/schema-merge.js';
import { KEY_FIELD } from './flow-row.js';
import type { ChainRun } from './chain-run.js';
import type { PortOptions } from './contract.js';
import { outputSchema } from './fragments/output.js';
import { checkKeyType } from './key-code.js';
import { outputSchemaOf, withKey } from './operator-schema.js';
import type { InputSide } from './operator-sides.js';
import type { OperatorSpec } from './operator-spec.js';

/** Operators whose results wait to be worked off by a function of their own. */
const HAVE_PENDING: ReadonlySet<OperatorSpec['kind']> = new Set([
  'flatMap',
  'process',
  'asyncWait',
  'sort',
]);

/** What getting ready came to. */
export interface Prepared {
  /** By operator; also of those whose schema is not known (null). */
  readonly schemas: ReadonlyMap<number, Schema | null>;
  /** An output could not be opened yet: try again when its consumer has room. */
  readonly isBusy: boolean;
  /** Something was opened anew or planned anew, so code generated before is outdated. */
  readonly isChanged: boolean;
}

/** Gets ready for rows of `schema` behind operator `from` (-1: the chain's input). */
export function prepareSchemas(
  run: ChainRun,
  from: number,
  schema: Schema | null,
  { marks, side }: { readonly marks: PortOptions; readonly side: InputSide },
): Prepared {
  const schemas = new Map<number, Schema | null>();
  const state = { isBusy: false, isChanged: false };
  const visit = (operator: number, rows: Schema | null, rowMarks: PortOptions): void => {
    for (const index of run.tree.outputsAfter(operator)) {
      if (rows === null) continue;
      const output = run.outputs[index];
      const opened = output.open(outputSchema(rows, output.output.columns), rowMarks);
      if (opened === 'busy') state.isBusy = true;
      if (opened === 'reopened') state.isChanged = true;
    }
    for (const child of run.tree.childrenOf(operator)) {
      const { spec } = run.tree.operators[child];
      const keyed = run.keyed[child];
      if (keyed !== null && rows !== null && keyed.adopt(rows)) state.isChanged = true;
      if (rows !== null && run.processes[child]?.adopt(side, rows) === true) {
        proposeResults(run, child);
        state.isChanged = true;
      }
      if (rows !== null && run.sorts[child]?.adopt(rows) === true) state.isChanged = true;
      if (rows !== null && run.joins[child]?.adopt(side, rows) === true) state.isChanged = true;
      if (holdsInput(spec) && rows !== null) rememberInput(run, child, rows);
      const result = namedResultSchema(run, child, rows);
      schemas.set(child, result);
      // Behind these other functions work, which get ready by themselves.
      const isApart = keyed === null ? HAVE_PENDING.has(spec.kind) : keyed.emitsOnlyEntries;
      if (!isApart) visit(child, result, marksBehind(run, child, rowMarks));
    }
  };
  visit(from, schema, marks);
  return { schemas, ...state };
}

/** Has the schema agreed of what a function of the engine gives, if it knows and somebody asks. */
export function proposeResults(run: ChainRun, operator: number): void {
  const schema = run.processes[operator]?.resultSchema ?? null;
  if (schema !== null && run.tree.needsFields(operator)) run.propose(operator, schema);
}

/** Whether records of an operator's input wait there, rather than its results. */
function holdsInput({ kind }: OperatorSpec): boolean {
  return kind === 'computeKey' || kind === 'explode' || kind === 'sort';
}

function rememberInput(run: ChainRun, operator: number, rows: Schema): void {
  const known = run.heldInputs[operator];
  run.heldInputs[operator] = known === null ? rows : mergeSchemas(known, rows);
}

/** The schema of the records that wait behind an operator, or come out of its state. */
export function schemaBehind(run: ChainRun, operator: number): Schema | null {
  const rows = run.keyed[operator]?.kept ?? run.heldInputs[operator];
  return resultSchema(run, operator, rows);
}

/** The schema behind an operator; errors name it. */
function namedResultSchema(run: ChainRun, operator: number, rows: Schema | null): Schema | null {
  try {
    return resultSchema(run, operator, rows);
  } catch (error) {
    throw run.errors.failed(error, operator, -1);
  }
}

/** The schema of the rows behind an operator, null when it is not known or nobody's concern. */
function resultSchema(run: ChainRun, operator: number, rows: Schema | null): Schema | null {
  const { spec } = run.tree.operators[operator];
  switch (spec.kind) {
    case 'map':
    case 'flatMap':
    case 'process':
    case 'asyncWait':
    case 'sideOutput':
    case 'reduce':
      return run.tree.needsFields(operator) ? run.recordSchema(operator) : null;
    case 'join':
      if (spec.columns !== null) return run.joins[operator]?.resultSchema ?? null;
      return run.tree.needsFields(operator) ? run.recordSchema(operator) : null;
    case 'computeKey': {
      const key = run.recordSchema(operator);
      if (key === null || rows === null) return null;
      const [field] = key.fields;
      checkKeyType(spec.name, KEY_FIELD, field.type);
      return withKey(rows, field);
    }
    case 'aggregate': {
      // The plan covers all records so far, not only those of the schema at hand.
      const keyed = run.keyed[operator] ?? null;
      if (rows === null || keyed === null) return null;
      return keyed.plan().output ?? run.recordSchema(operator);
    }
    default:
      return outputSchemaOf(spec, rows);
  }
}

/** Which marks the records of an operator have, given those of the chain's input. */
export function marksOf(run: ChainRun, operator: number, input: PortOptions): PortOptions {
  if (operator < 0) return input;
  const before = marksOf(run, run.tree.operators[operator].input, input);
  return marksBehind(run, operator, before);
}

/** Which marks rows have behind an operator. */
function marksBehind(run: ChainRun, operator: number, before: PortOptions): PortOptions {
  const { kind } = run.tree.operators[operator].spec;
  if (kind === 'assignTimestamps') return { times: true, kinds: before.kinds };
  // Timers have times, whether records have them or not.
  if (kind === 'process') return { times: true, kinds: before.kinds };
  if (kind === 'asyncWait') {
    const { calls } = run;
    return {
      times: before.times || calls?.hasTimes === true,
      kinds: before.kinds || calls?.hasKinds === true,
    };
  }
  if (kind === 'sort') return { times: false, kinds: false };
  const keyed = run.keyed[operator];
  if (keyed === null || keyed.spec.kind === 'distinct') return before;
  if (keyed.windows !== null && !keyed.isPartial) return { times: true, kinds: false };
  if (keyed.emitsEntries) return { times: false, kinds: false };
  return { times: before.times, kinds: true };
}
