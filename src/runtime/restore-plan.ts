/**
 * Deals a checkpoint to the subtasks of a plan, which may be another than the one it was taken of: what maps to what,
 * by uid, and what would be lost. Callers: `launch-run.ts`. Runs on: the caller's thread. Invariant: state is lost
 * only where that was allowed, and no split of a source is read twice or left out.
 */
import { MillraceError } from '../base/errors.js';
import { nearestName } from '../base/nearest-name.js';
import { inFlightPlace } from '../checkpoint/in-flight-pieces.js';
import type { CheckpointManifest, SourceProgress } from '../checkpoint/contract.js';
import type { SourcePlan } from '../connector/contract.js';
import type { PhysicalPlan, Vertex } from '../graph/physical-plan.js';
import type { AggregateOperator } from '../operator/aggregate-fields.js';
import { partialUid } from '../operator/pre-aggregate.js';
import type { RestorePlan } from './deployment.js';
import type { KeptOfPlan } from './plan-options.js';
import type { RestoredConnectors } from './prepare-connectors.js';
import type { RestoredSource } from './source-head.js';
import { receiverUid, uidsOf } from './vertex-uids.js';

/** What a checkpoint means for a plan. */
export interface RestoreMapping {
  /** Uids of operators, sources and sinks that go on from the checkpoint. */
  readonly restored: readonly string[];
  /** Those of the plan that the checkpoint does not know: they begin. */
  readonly fresh: readonly string[];
  /** Those of the checkpoint with state that the plan does not have. */
  readonly lost: readonly string[];
}

/** How a run goes on from a checkpoint. */
export interface PlannedRestore {
  readonly restore: RestorePlan;
  readonly mapping: RestoreMapping;
  /** Plans of the sources and sinks that go on, by vertex; those that begin are planned anew. */
  readonly connectors: RestoredConnectors;
}

/** Where a checkpoint is: a path, or nowhere but in the manifest. */
export interface RestoreOrigin {
  readonly path: string | null;
  /** Whether no other job goes on from it. */
  readonly isOwn: boolean;
  readonly allowNonRestored: boolean;
}

/** Maps the checkpoint to the plan. Throws STATE_NOT_RESTORED and PARALLELISM_INVALID. */
export function planRestore(
  manifest: CheckpointManifest,
  plan: PhysicalPlan,
  { path, isOwn, allowNonRestored }: RestoreOrigin,
): PlannedRestore {
  const mapping = mappingOf(manifest, plan);
  const [refusal] = restoreRefusals(manifest, plan, allowNonRestored);
  if (refusal !== undefined) throw refusal;
  const records = new Map(manifest.operators.map((record) => [record.uid, record]));
  const sources = new Map(manifest.sources.map((source) => [source.uid, source]));
  const sinks = new Map(manifest.sinks.map((sink) => [sink.uid, sink]));
  const { pieces, operators } = manifest;
  return {
    mapping,
    restore: {
      checkpoint: manifest.id,
      path,
      manifest: path === null ? { pieces, operators } : { pieces: [], operators: [] },
      sources: plan.vertices.map((vertex) => {
        const uid = vertex.source?.identity.uid;
        const source = uid === undefined ? undefined : sources.get(uid);
        return source === undefined
          ? null
          : dealSplits(source.plan as SourcePlan, source.progress, vertex.parallelism);
      }),
      finished: plan.vertices
        .filter((vertex) => uidsOf(vertex).every((uid) => records.get(uid)?.isFinished === true))
        .map(({ id }) => id),
    },
    connectors: {
      isOwn,
      sourcePlans: plan.vertices.map(({ source }) => {
        const known = source === null ? undefined : sources.get(source.identity.uid);
        return known?.plan as SourcePlan | undefined;
      }),
      sinkPlans: plan.vertices.map((vertex) =>
        vertex.sinks.map(({ identity }) => sinks.get(identity.uid)),
      ),
    },
  };
}

/** Why a plan may not go on from a checkpoint, all that is known before it runs. */
export function restoreRefusals(
  manifest: CheckpointManifest,
  plan: PhysicalPlan,
  allowNonRestored: boolean,
): readonly MillraceError[] {
  const mapping = mappingOf(manifest, plan);
  const isLost = mapping.lost.length > 0 && !allowNonRestored;
  return [
    ...(isLost ? [notRestored(manifest, plan, mapping)] : []),
    ...drainedSources(manifest, plan),
    ...otherReceivers(manifest, plan),
    ...otherPhaseErrors(manifest, plan),
    ...plan.vertices.flatMap((vertex) => otherKeyGroups(manifest, vertex, plan.jobName)),
  ];
}

/** What of a checkpoint maps to what of a plan. */
export function mappingOf(manifest: CheckpointManifest, plan: PhysicalPlan): RestoreMapping {
  const inPlan = new Set(plan.vertices.flatMap(uidsOf));
  const inCheckpoint = new Set(manifest.operators.map(({ uid }) => uid));
  const withState = new Set([
    ...manifest.pieces.map(({ uid }) => uid),
    ...manifest.sources.map(({ uid }) => uid),
    ...manifest.sinks.filter(({ committables }) => committables.length > 0).map(({ uid }) => uid),
  ]);
  return {
    restored: [...inPlan].filter((uid) => inCheckpoint.has(uid)),
    fresh: [...inPlan].filter((uid) => !inCheckpoint.has(uid)),
    lost: [...withState].filter((uid) => !inPlan.has(uid)),
  };
}

/**
 * Splits in hand go to whoever had them, at another parallelism to the subtasks in turn; what nobody had begun stays in
 * the common queue.
 */
export function dealSplits(
  { splits }: SourcePlan,
  progress: readonly SourceProgress[],
  parallelism: number,
): readonly RestoredSource[] {
  const inHand = progress.map((one) => one.inHand);
  const begun = new Set(
    progress.flatMap((one) => [...one.inHand.map(({ split }) => split), ...one.finished]),
  );
  const unread = splits.flatMap(({ id }, index) => (begun.has(id) ? [] : [index]));
  const isSame = progress.length === parallelism;
  const all = inHand.flat();
  const finished = progress.flatMap((one) => one.finished);
  return Array.from({ length: parallelism }, (_, subtask) => ({
    unread,
    inHand: isSame ? inHand[subtask] : all.filter((_one, at) => at % parallelism === subtask),
    finished: isSame ? progress[subtask].finished : subtask === 0 ? finished : [],
  }));
}

/** Records that were under way go on to an input of the same vertex, which the plan may have cut in another place. */
function otherReceivers(
  { pieces, operators }: CheckpointManifest,
  { vertices, jobName }: PhysicalPlan,
): readonly MillraceError[] {
  const inputs = new Map(vertices.map((vertex) => [receiverUid(vertex), vertex.inputs.length]));
  const known = new Set(vertices.flatMap(uidsOf));
  const lost = pieces.find((piece) => {
    const place = inFlightPlace(piece);
    return place !== null && known.has(piece.uid) && place.input >= (inputs.get(piece.uid) ?? 0);
  });
  if (lost === undefined) return [];
  const operator = operators.find(({ uid }) => uid === lost.uid)?.name ?? lost.uid;
  return [
    new MillraceError(
      'STATE_NOT_RESTORED',
      `The checkpoint holds records on their way to "${operator}", which has no such input now.`,
      {
        where: { job: jobName, operator, uid: lost.uid },
        advice: 'Go on from a savepoint: those hold no records that are under way.',
      },
    ),
  ];
}

/**
 * What the plan has to take over of that of the checkpoint: the numbers of key groups that keyed state was written
 * with, for operators that are told none, as in Flink, and the phases of aggregations with records on their way to
 * them. Null when it has all that.
 */
export function planToKeep(manifest: CheckpointManifest, plan: PhysicalPlan): KeptOfPlan | null {
  const keyGroups = keyGroupsToKeep(manifest, plan);
  const others = otherPhases(manifest, plan);
  if (keyGroups === null && others.length === 0) return null;
  const twoPhases = others.map(({ spec, hadTwo }) => [spec.uid, hadTwo] as const);
  return { keyGroups: keyGroups ?? {}, twoPhases: Object.fromEntries(twoPhases) };
}

/**
 * Aggregations with records on their way to them that have other phases now: what is on its way to a second phase has
 * been added up, and only such a one reads it.
 */
function otherPhases(
  { pieces, operators }: CheckpointManifest,
  { vertices }: PhysicalPlan,
): readonly { readonly spec: AggregateOperator; readonly hadTwo: boolean }[] {
  const receivers = new Set(
    pieces.filter((piece) => inFlightPlace(piece) !== null).map(({ uid }) => uid),
  );
  const had = new Set(operators.map(({ uid }) => uid));
  return vertices.flatMap((vertex) => {
    const spec = vertex.operators[0]?.spec;
    if (spec?.kind !== 'aggregate' || !receivers.has(spec.uid)) return [];
    if (receiverUid(vertex) !== spec.uid) return [];
    const hadTwo = had.has(partialUid(spec.uid, 0, 1)) || had.has(partialUid(spec.uid, 0, 2));
    return hadTwo === (spec.phase === 'merge') ? [] : [{ spec, hadTwo }];
  });
}

/** Only those that the job cannot have any more are left, once the plan has taken over what it had to. */
function otherPhaseErrors(
  manifest: CheckpointManifest,
  plan: PhysicalPlan,
): readonly MillraceError[] {
  return otherPhases(manifest, plan).map(
    ({ spec: { name, uid } }) =>
      new MillraceError(
        'STATE_NOT_RESTORED',
        `The checkpoint holds records on their way to "${name}" that were added up before they ` +
          'were sent, which this job does not do.',
        {
          where: { job: plan.jobName, operator: name, uid },
          advice:
            'Leave the aggregation and aggregate.preAggregateKeys as they were, or go on from a ' +
            'savepoint: those hold no records that are under way.',
        },
      ),
  );
}

function keyGroupsToKeep(
  manifest: CheckpointManifest,
  { vertices }: PhysicalPlan,
): KeptOfPlan['keyGroups'] | null {
  const kept = keyGroupsOfState(manifest);
  const others = vertices.flatMap((vertex) =>
    vertex.operators.flatMap(({ spec: { uid } }) => {
      const count = kept.get(uid) ?? vertex.maxParallelism;
      return count === vertex.maxParallelism ? [] : [[uid, count] as const];
    }),
  );
  return others.length === 0 ? null : Object.fromEntries(others);
}

/** By uid of the operators that have keyed state. */
function keyGroupsOfState({ pieces, operators }: CheckpointManifest): ReadonlyMap<string, number> {
  const keyed = new Set(pieces.filter(({ keyGroup }) => keyGroup >= 0).map(({ uid }) => uid));
  const own = operators.filter(({ uid }) => keyed.has(uid));
  return new Map(own.map(({ uid, maxParallelism }) => [uid, maxParallelism]));
}

function otherKeyGroups(
  manifest: CheckpointManifest,
  vertex: Vertex,
  job: string,
): readonly MillraceError[] {
  const kept = keyGroupsOfState(manifest);
  return vertex.operators.flatMap(({ spec }) => {
    const count = kept.get(spec.uid) ?? vertex.maxParallelism;
    if (count === vertex.maxParallelism) return [];
    const error = new MillraceError(
      'PARALLELISM_INVALID',
      `The state of "${spec.name}" has ${count} key groups, but its maximum parallelism is now ` +
        `${vertex.maxParallelism}.`,
      {
        where: { job, operator: spec.name, uid: spec.uid },
        advice:
          `Set maxParallelism to ${count}, or leave it out, which bounds every later rescale, or ` +
          'deal the state anew with `millrace state edit --max-parallelism`.',
      },
    );
    return [error];
  });
}

/**
 * A source that had finished with splits in hand was drained: what is behind it had given all that it held and come to
 * its end, so it has no state to go on with.
 */
function drainedSources(
  manifest: CheckpointManifest,
  { jobName }: PhysicalPlan,
): readonly MillraceError[] {
  const drained = manifest.sources.find(
    ({ uid, progress }) =>
      progress.some(({ inHand }) => inHand.length > 0) &&
      manifest.operators.some((record) => record.uid === uid && record.isFinished),
  );
  if (drained === undefined) return [];
  return [
    new MillraceError(
      'FEATURE_UNSUPPORTED',
      'The savepoint was taken when its job was drained: its operators had given all that they ' +
        'held and had ended, so that there is no state to go on with.',
      {
        where: { job: jobName, uid: drained.uid },
        advice:
          "To go on later, stop a job with stop: 'suspend' (`millrace stop` without --drain).",
      },
    ),
  ];
}

function notRestored(
  manifest: CheckpointManifest,
  plan: PhysicalPlan,
  { lost, fresh }: RestoreMapping,
): MillraceError {
  const names = new Map(manifest.operators.map(({ uid, name }) => [uid, name]));
  const described = lost.map((uid) => {
    const near = nearestName(uid, fresh);
    const hint = near === null ? '' : `, perhaps now "${near}"`;
    return `"${names.get(uid) ?? uid}" (uid ${uid}${hint})`;
  });
  return new MillraceError(
    'STATE_NOT_RESTORED',
    `The checkpoint has state that the job does not take up: ${described.join(', ')}.`,
    {
      where: { job: plan.jobName },
      advice:
        'Give operators the uid they had, or allow state to be left out with ' +
        '--allow-non-restored.',
    },
  );
}
