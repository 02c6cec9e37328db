/**
 * What going on from a checkpoint would mean for a plan, before it is done: what maps to what, what is new, what would
 * be lost, and what cannot be read and why. Callers: the command line, `api/explain-restore.ts`. Runs on:
 * the caller's thread. Invariant: nothing is claimed, written or committed.
 */
import { join, resolve } from 'node:path';
import { MillraceError, toWire, type WireError } from '../base/errors.js';
import { nearestName } from '../base/nearest-name.js';
import { nodeDisk } from '../base/node-disk.js';
import { newestJob } from '../checkpoint/newest-job.js';
import { findLatest } from '../checkpoint/open-checkpoint.js';
import { pinnedSnapshot } from '../checkpoint/snapshot-pin.js';
import type { PhysicalPlan } from '../graph/physical-plan.js';
import { type OperatorInfo, SavepointReader } from '../savepoint/savepoint-reader.js';
import { LATEST } from './checkpointing-setup.js';
import { planKeeping } from './plan-further.js';
import { draftOf, planOf, type RunRequest } from './plan-run.js';
import {
  type RestoredFunction,
  type RestoredFunctionState,
  restoredFunction,
} from './restored-function-states.js';
import { planToKeep, mappingOf, restoreRefusals } from './restore-plan.js';
import { uidsOf } from './vertex-uids.js';

/** What becomes of an operator, source or sink. */
export type RestoreFate = 'restored' | 'new' | 'lost' | 'dropped';

/** An operator of the checkpoint, of the plan, or of both. */
export interface RestoredOperator {
  readonly uid: string;
  readonly name: string;
  /**
   * `restored`: goes on; `new`: begins; `lost`: had state that nobody takes up; `dropped`: had none, and is not in the
   * plan.
   */
  readonly fate: RestoreFate;
  /** As the checkpoint has it; null for what is new. */
  readonly before: OperatorInfo | null;
  /** As the plan has it; null for what is lost or dropped. */
  readonly now: { readonly parallelism: number; readonly maxParallelism: number } | null;
  /**
   * What becomes of the states that a process function declares by key, for which it is opened and closed again;
   * null for other operators, and for functions that cannot be opened without a job.
   */
  readonly states: readonly RestoredFunctionState[] | null;
  /** Of what is lost: the uid of the plan that was perhaps meant. */
  readonly perhapsNow: string | null;
}

/** A restore that has been looked at. */
export interface RestoreReport {
  readonly job: string;
  /** Null where there is nothing to go on from, so that the job would begin. */
  readonly checkpoint: {
    readonly id: number;
    readonly kind: 'checkpoint' | 'savepoint';
    readonly path: string;
    readonly jobName: string;
    readonly timestampMs: number;
  } | null;
  readonly operators: readonly RestoredOperator[];
  /** Newer checkpoints that are passed over, and state that is damaged: code, file and offset. */
  readonly unreadable: readonly WireError[];
  /** Why the job would not start. */
  readonly refusals: readonly WireError[];
}

/**
 * Looks at the restore that a run of the request would make. Types of keys, and states that a function declares later
 * than in `open`, are only known when it runs, so that STATE_INCOMPATIBLE may still come then. Throws
 * CHECKPOINT_NOT_FOUND, and OPTION_INVALID without a checkpoint to go on from.
 */
export function reportRestore(request: RunRequest): RestoreReport {
  const draft = draftOf(request);
  const { plan: asked } = planOf(request, draft);
  const { settings, world } = request;
  const disk = world?.disk ?? nodeDisk;
  const { path, unreadable } = findCheckpoint(request, asked.jobName);
  const nothing = { job: asked.jobName, unreadable, refusals: [] };
  if (path === null) return { ...nothing, checkpoint: null, operators: beginning(asked) };
  const reader = SavepointReader.read(path, disk);
  try {
    const { id, kind, jobName, timestampMs, manifest } = reader;
    const kept = planToKeep(manifest, asked);
    const plan = kept === null ? asked : planKeeping(request, draft, kept).plan;
    const allowed = settings['execution.stateRecovery.ignoreUnclaimedState'];
    const functions = functionsOf(reader, plan);
    const refusals = [
      ...restoreRefusals(manifest, plan, allowed),
      ...[...functions.values()].flatMap((one) => one.refusals),
    ];
    return {
      ...nothing,
      checkpoint: { id, kind, path: reader.path, jobName, timestampMs },
      operators: operatorsOf(reader, plan).map((operator) => {
        return { ...operator, states: functions.get(operator.uid)?.states ?? null };
      }),
      unreadable: [...unreadable, ...damageIn(reader)],
      refusals: refusals.map((error) => toWire(error)),
    };
  } finally {
    reader.close();
  }
}

function findCheckpoint(
  { settings, baseDirectory, world }: RunRequest,
  jobName: string,
): { readonly path: string | null; readonly unreadable: readonly WireError[] } {
  const from = settings['execution.stateRecovery.path'];
  if (from === null) {
    throw new MillraceError('OPTION_INVALID', 'There is no checkpoint to go on from.', {
      advice: 'Name it with --from, or set execution.stateRecovery.path.',
    });
  }
  if (from !== LATEST) return { path: resolve(baseDirectory, from), unreadable: [] };
  const directory = settings['execution.checkpointing.dir'];
  if (directory === null) {
    throw new MillraceError('OPTION_INVALID', 'No checkpoint directory is set to look in.', {
      advice: 'Set execution.checkpointing.dir, or name the checkpoint by its path.',
    });
  }
  const disk = world?.disk ?? nodeDisk;
  const home = resolve(baseDirectory, directory);
  const { jobId, nameless } = newestJob(disk, home, jobName);
  if (jobId === null) return { path: null, unreadable: nameless.map(({ error }) => toWire(error)) };
  const { latest, damaged } = findLatest(disk, home, jobId);
  latest?.reader.close();
  const pinned = latest === null ? pinnedSnapshot(disk, join(home, jobId)) : null;
  return {
    path: latest?.path ?? pinned?.path ?? null,
    unreadable: damaged.map(({ error }) => toWire(error)),
  };
}

function beginning(plan: PhysicalPlan): readonly RestoredOperator[] {
  return operatorsIn(plan).map(({ uid, name, now }) => {
    return { uid, name, fate: 'new', before: null, now, states: null, perhapsNow: null };
  });
}

function operatorsIn(plan: PhysicalPlan) {
  return plan.vertices.flatMap((vertex) => {
    const { parallelism, maxParallelism, source, operators, sinks } = vertex;
    const identities = [
      ...(source === null ? [] : [source.identity]),
      ...operators.map(({ spec }) => spec),
      ...sinks.map(({ identity }) => identity),
    ];
    return uidsOf(vertex).map((uid) => ({
      uid,
      name: identities.find((identity) => identity.uid === uid)?.name ?? uid,
      now: { parallelism, maxParallelism },
    }));
  });
}

function operatorsOf(reader: SavepointReader, plan: PhysicalPlan): readonly RestoredOperator[] {
  const before = new Map(reader.operators.map((operator) => [operator.uid, operator]));
  const { lost, fresh } = mappingOf(reader.manifest, plan);
  const planned = operatorsIn(plan);
  const inPlan = new Set(planned.map(({ uid }) => uid));
  const here = planned.map(({ uid, name, now }): RestoredOperator => {
    const known = before.get(uid) ?? null;
    const fate = known === null ? 'new' : 'restored';
    return { uid, name, fate, before: known, now, states: null, perhapsNow: null };
  });
  const gone = [...before.values()]
    .filter(({ uid }) => !inPlan.has(uid))
    .map((operator): RestoredOperator => {
      const { uid, name } = operator;
      const isLost = lost.includes(uid);
      const perhapsNow = isLost ? nearestName(uid, fresh) : null;
      const fate = isLost ? 'lost' : 'dropped';
      return { uid, name, fate, before: operator, now: null, states: null, perhapsNow };
    });
  return [...here, ...gone];
}

/** What becomes of the states of process functions, by uid, as far as that is known. */
function functionsOf(
  reader: SavepointReader,
  plan: PhysicalPlan,
): ReadonlyMap<string, RestoredFunction> {
  const before = new Map(reader.operators.map((operator) => [operator.uid, operator]));
  const functions = new Map<string, RestoredFunction>();
  for (const vertex of plan.vertices) {
    for (const { spec } of vertex.operators) {
      const known = before.get(spec.uid);
      if (known === undefined || spec.kind !== 'process') continue;
      const found = restoredFunction(spec, known, reader, { job: plan.jobName, ...vertex });
      if (found === null) continue;
      const where = { job: plan.jobName, operator: spec.name };
      const refusals = found.refusals.map((error) => error.at(where));
      functions.set(spec.uid, { ...found, refusals });
    }
  }
  return functions;
}

/** Reads everything, piece by piece. */
function damageIn(reader: SavepointReader): readonly WireError[] {
  return reader.manifest.pieces.flatMap((piece) => {
    try {
      reader.bytesOfPiece(piece);
      return [];
    } catch (error) {
      if (!MillraceError.is(error) || error.code !== 'CHECKPOINT_CORRUPT') throw error;
      return [toWire(error.at({ uid: piece.uid }))];
    }
  });
}
