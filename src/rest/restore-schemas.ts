/**
 * The plan of a restore as REST gives it: what would go on, begin or be lost, and what stands in the way. Callers:
 * `paths.ts`, the server, the client, the command line. Runs on: any thread; pure.
 */
import type { WireError } from '../base/errors.js';
import type { OperatorInfo } from '../savepoint/savepoint-reader.js';
import type { RestoreReport } from '../runtime/restore-report.js';
import { integer, list, nullable, object, oneOf, text, type ValueOf } from './json-schema.js';

const count = integer();
const width = { parallelism: count, maxParallelism: count };
const fault = object({
  code: nullable(text()),
  message: text(),
  advice: nullable(text()),
  where: object(
    {},
    {
      job: text(),
      operator: text(),
      uid: text(),
      subtask: count,
      field: text(),
      record: count,
      file: text(),
      line: count,
      byteOffset: count,
    },
  ),
});
const held = object({
  ...width,
  states: list(object({ name: text(), kind: text(), bytes: count })),
  /** Numbers of splits; null for what is no source. */
  source: nullable(object({ inHand: count, finished: count })),
  /** Null for what is no sink. */
  sink: nullable(object({ pending: count })),
});
const operator = object({
  uid: text(),
  name: text(),
  fate: oneOf('restored', 'new', 'lost', 'dropped'),
  before: nullable(held),
  now: nullable(object(width)),
  states: nullable(
    list(
      object({
        name: text(),
        fate: oneOf('compatibleAsIs', 'compatibleAfterMigration', 'incompatible', 'new', 'dropped'),
        before: nullable(text()),
        now: nullable(text()),
        how: list(text()),
      }),
    ),
  ),
  perhapsNow: nullable(text()),
});
export const restorePlan = object({
  job: text(),
  checkpoint: nullable(
    object({
      id: count,
      kind: oneOf('checkpoint', 'savepoint'),
      path: text(),
      jobName: text(),
      timestampMs: integer(),
    }),
  ),
  operators: list(operator),
  unreadable: list(fault),
  refusals: list(fault),
});

export type RestorePlan = ValueOf<typeof restorePlan>;

/** What a process has reported, without positions and stacks, which may be long. */
export function restorePlanOf(report: RestoreReport): RestorePlan {
  const { job, checkpoint, operators, unreadable, refusals } = report;
  return {
    job,
    checkpoint:
      checkpoint === null
        ? null
        : { ...checkpoint, timestampMs: Math.round(checkpoint.timestampMs) },
    operators: operators.map((each) => ({ ...each, before: heldBy(each.before) })),
    unreadable: unreadable.map(faultOf),
    refusals: refusals.map(faultOf),
  };
}

function heldBy(info: OperatorInfo | null): ValueOf<typeof held> | null {
  if (info === null) return null;
  const { parallelism, maxParallelism, states, source, sink } = info;
  return {
    parallelism,
    maxParallelism,
    states: states.map(({ name, kind, bytes }) => ({ name, kind, bytes })),
    source:
      source === null ? null : { inHand: source.inHand.length, finished: source.finished.length },
    sink,
  };
}

function faultOf({ code, message, advice, where }: WireError): ValueOf<typeof fault> {
  return { code, message, advice, where };
}
