/**
 * Puts together what a checkpoint consists of: the answers of the slots, what finished subtasks left behind, and what
 * is the same in all checkpoints of an attempt. Callers: the checkpoint keeper. Runs on: the coordinator's thread;
 * pure. Invariant: a manifest alone restores the job, with the pieces of earlier checkpoints that its changes build
 * on.
 */
import type { GatheredCheckpoint } from '../checkpoint/checkpoint-protocol.js';
import type {
  CheckpointFile,
  CheckpointManifest,
  OperatorRecord,
  SourceProgress,
  SubtaskSnapshot,
} from '../checkpoint/contract.js';
import { NO_KEY_GROUP } from '../checkpoint/contract.js';
import type { PhysicalPlan, Vertex } from '../graph/physical-plan.js';
import type { Deployment } from './deployment.js';
import { uidsOf } from './vertex-uids.js';

/** What all checkpoints of an attempt have in common. Plain data. */
export interface ManifestFrame {
  readonly jobId: string;
  readonly jobName: string;
  readonly params: unknown;
  readonly operators: readonly (Omit<OperatorRecord, 'isFinished'> & { readonly vertex: number })[];
  readonly sources: readonly FramedSource[];
  readonly sinks: readonly { readonly uid: string; readonly plan: unknown }[];
}

interface FramedSource {
  readonly uid: string;
  readonly vertex: number;
  readonly parallelism: number;
  readonly plan: unknown;
}

/** The frame of a run. */
export function frameOf(jobId: string, plan: PhysicalPlan, deployment: Deployment): ManifestFrame {
  return {
    jobId,
    jobName: plan.jobName,
    params: deployment.params,
    operators: plan.vertices.flatMap((vertex) =>
      uidsOf(vertex).map((uid) => ({
        uid,
        name: nameOf(vertex, uid),
        vertex: vertex.id,
        parallelism: vertex.parallelism,
        maxParallelism: vertex.maxParallelism,
      })),
    ),
    sources: plan.vertices.flatMap(({ id, source, parallelism }) =>
      source === null
        ? []
        : [{ uid: source.identity.uid, vertex: id, parallelism, plan: deployment.sourcePlans[id] }],
    ),
    sinks: plan.vertices.flatMap((vertex) =>
      vertex.sinks.map(({ identity }, index) => ({
        uid: identity.uid,
        plan: deployment.sinkPlans[vertex.id][index],
      })),
    ),
  };
}

function nameOf({ source, operators, sinks }: Vertex, uid: string): string {
  const identities = [
    ...(source === null ? [] : [source.identity]),
    ...operators.map(({ spec }) => spec),
    ...sinks.map(({ identity }) => identity),
  ];
  return identities.find((identity) => identity.uid === uid)?.name ?? uid;
}

/** The manifest of a checkpoint; `before` is the one that its changes build on, null for none. */
export function manifestOf(
  frame: ManifestFrame,
  attempt: number,
  gathered: GatheredCheckpoint,
  before: CheckpointManifest | null,
): CheckpointManifest {
  const { trigger, slots, finished, commits } = gathered;
  const live = slots.flatMap((slot) => slot.subtasks);
  const all = [...live, ...finished];
  const pieces = piecesOf(frame, live, before);
  const { id, kind, timestampMs } = trigger;
  const { jobId, jobName, params } = frame;
  return {
    id,
    kind,
    timestampMs,
    jobId,
    jobName,
    attempt,
    params,
    operators: frame.operators.map(({ vertex, ...record }) => {
      const ended = finished.filter((one) => one.vertex === vertex).length;
      return { ...record, isFinished: ended === record.parallelism };
    }),
    sources: frame.sources.map(({ uid, vertex, parallelism, plan }) => ({
      uid,
      plan,
      progress: progressOf(all, vertex, parallelism),
    })),
    sinks: frame.sinks.map(({ uid, plan }) => ({
      uid,
      plan,
      committables: commits
        .filter((commit) => commit.uid === uid)
        .flatMap((commit) => commit.committables),
    })),
    pieces,
    files: filesOf(pieces, [
      ...(before?.files ?? []),
      ...slots.flatMap(({ file }) => (file === null ? [] : [file])),
    ]),
  };
}

function progressOf(
  all: readonly SubtaskSnapshot[],
  vertex: number,
  parallelism: number,
): readonly SourceProgress[] {
  const none: SourceProgress = { inHand: [], finished: [] };
  return Array.from({ length: parallelism }, (_, subtask) => {
    const found = all.find((one) => one.vertex === vertex && one.subtask === subtask);
    return found?.source ?? none;
  });
}

type Pieces = CheckpointManifest['pieces'];

/** The pieces of all subtasks; those of subtasks that have finished are gone. */
function piecesOf(
  frame: ManifestFrame,
  live: readonly SubtaskSnapshot[],
  before: CheckpointManifest | null,
): Pieces {
  const now = live.flatMap(({ subtask, pieces }) => pieces.map((piece) => ({ ...piece, subtask })));
  if (before === null) return now;
  const vertexOf = new Map(frame.operators.map(({ uid, vertex }) => [uid, vertex]));
  const isLive = new Set(live.map(({ vertex, subtask }) => `${vertex}/${subtask}`));
  const replaced = new Set(now.filter(({ isChanges }) => !isChanges).map(keyOf));
  const kept = before.pieces.filter(
    (piece) =>
      piece.keyGroup !== NO_KEY_GROUP &&
      isLive.has(`${vertexOf.get(piece.uid)}/${piece.subtask}`) &&
      !replaced.has(keyOf(piece)),
  );
  return [...kept, ...now];
}

function keyOf({ uid, name, keyGroup, subtask }: Pieces[number]): string {
  return JSON.stringify([uid, name, keyGroup, subtask]);
}

/** Those that pieces are in. */
function filesOf(pieces: Pieces, known: readonly CheckpointFile[]): readonly CheckpointFile[] {
  const used = new Set(pieces.flatMap(({ at }) => ('file' in at ? [at.file] : [])));
  const byPath = new Map(known.map((file) => [file.path, file]));
  return [...used].flatMap((path) => byPath.get(path) ?? []);
}
