/**
 * What becomes of the states of a process function when its job goes on from a checkpoint: which are as they were,
 * which are migrated and how, and which cannot be. Callers: `restore-report.ts`. Runs on: the caller's thread.
 * Invariant: what is told is what happens when the job is started.
 */
import type { MillraceError } from '../base/errors.js';
import type { ProcessOperator } from '../operator/chain-process.js';
import { typeName } from '../record/schema.js';
import type { OperatorInfo, SavepointReader } from '../savepoint/savepoint-reader.js';
import { type DeclaredState, otherKindOfState } from '../state/keyed-state.js';
import { compatibility, incompatibleState } from '../state/state-evolution.js';
import { type DeclaringVertex, declaredStates } from './declared-states.js';

/** What becomes of a state, in Flink's words where it has some. */
export type StateFate =
  | 'compatibleAsIs'
  | 'compatibleAfterMigration'
  | 'incompatible'
  | 'new'
  | 'dropped';

/** A state of a process function, as the checkpoint has it, as the job declares it, or both. */
export interface RestoredFunctionState {
  readonly name: string;
  /**
   * `compatibleAsIs`, `compatibleAfterMigration`, `incompatible`; `new`: begins empty; `dropped`: is not declared any
   * more, and in no checkpoint of the job.
   */
  readonly fate: StateFate;
  /** Types of the values; null where none is declared. */
  readonly before: string | null;
  readonly now: string | null;
  /** What is done to a value, for people, as in `vat is new, with a default`. */
  readonly how: readonly string[];
}

/** What is known of the states of a function, and why the job would not start. */
export interface RestoredFunction {
  readonly states: readonly RestoredFunctionState[];
  readonly refusals: readonly MillraceError[];
}

/** Compares; null for a function whose states are not known before it runs. */
export function restoredFunction(
  spec: ProcessOperator,
  before: OperatorInfo,
  reader: SavepointReader,
  vertex: DeclaringVertex,
): RestoredFunction | null {
  const declared = declaredStates(spec, vertex);
  if (declared === null) return null;
  const written = before.states.filter(({ kind }) => KINDS.includes(kind));
  const refusals: MillraceError[] = [];
  const states = declared.map((state): RestoredFunctionState => {
    const { name, type } = state.descriptor;
    const now = type === undefined ? null : typeName(type);
    const known = written.find((one) => one.name === name);
    if (known === undefined) return { name, fate: 'new', before: null, now, how: [] };
    const found = comparison(spec, state, reader);
    if (found.refusal !== null) refusals.push(found.refusal);
    return { name, fate: found.fate, before: known.valueType, now, how: found.how };
  });
  const names = new Set(declared.map(({ descriptor }) => descriptor.name));
  const dropped = written
    .filter(({ name }) => !names.has(name))
    .map(({ name, valueType }): RestoredFunctionState => {
      return { name, fate: 'dropped', before: valueType, now: null, how: [] };
    });
  return { states: [...states, ...dropped], refusals };
}

/** Kinds of states that functions declare by key. */
const KINDS: readonly string[] = ['value', 'list', 'map'];

function comparison(
  { uid }: ProcessOperator,
  state: DeclaredState,
  reader: SavepointReader,
): Pick<RestoredFunctionState, 'fate' | 'how'> & { readonly refusal: MillraceError | null } {
  const { operator, state: found } = reader.find(uid, state.descriptor.name);
  const other = otherKindOfState(uid, state, (table) => operator.pieces.has(table));
  if (other !== null) return { fate: 'incompatible', how: [], refusal: other };
  const column = reader.valueColumn(operator, found);
  const isChunked = state.kind === 'list' && state.descriptor.ttl === undefined;
  const judged = column === null ? null : compatibility(column, state.descriptor, isChunked);
  if (judged === null || judged.kind === 'asIs') {
    return { fate: 'compatibleAsIs', how: [], refusal: null };
  }
  if (judged.kind === 'afterMigration' || column === null) {
    const how = judged.kind === 'afterMigration' ? judged.how : [];
    return { fate: 'compatibleAfterMigration', how, refusal: null };
  }
  const refusal = incompatibleState(uid, state.descriptor, column, judged);
  return { fate: 'incompatible', how: [], refusal };
}
