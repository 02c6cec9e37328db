/**
 * Answers "why does nothing come out" for event time: how far each chain has come, which of its inputs holds it
 * back, which are idle. Callers: the execution handle, the live view. Runs on: the caller's thread; pure.
 */
import { formatDuration } from '../base/units.js';
import type { PhysicalPlan, Vertex } from '../graph/physical-plan.js';
import type { TaskMetricsSnapshot } from '../metrics/read-task-metrics.js';
import { WATERMARK_MAX } from '../time/watermark.js';
import type { RunMetricsSnapshot } from './metrics-snapshot.js';

/** A subtask that a chain waits for, or does not. */
export interface TimeInput {
  readonly chain: string;
  readonly subtask: number;
  /** The last watermark it sent; null for none yet. */
  readonly watermarkMs: number | null;
  /** The split that holds the subtask back; null where it reads no splits, or the source has one only. */
  readonly split: string | null;
  /** Calls of its asynchronous function that have not been answered; null where there are none. */
  readonly calls: CallsUnderWay | null;
}

/** Calls that hold event time back, since watermarks wait for the records before them. */
export interface CallsUnderWay {
  /** Records whose results have not been handed on. */
  readonly inFlight: number;
  /** For how long the one that came first has waited. */
  readonly oldestMs: number;
}

/** Event time at one chain. */
export interface TimeReport {
  readonly vertex: number;
  readonly chain: string;
  /** The least watermark of its subtasks but for idle ones, or of all when all are; null when one has none yet. */
  readonly watermarkMs: number | null;
  /**
   * Inputs that no other input is behind; for a chain that assigns event times, its own subtasks, and so for one that
   * waits for answers to its calls, as long as it is behind its inputs.
   */
  readonly heldBackBy: readonly TimeInput[];
  /** Inputs that it does not wait for, because they are idle. */
  readonly idle: readonly TimeInput[];
  /** The same for people. */
  readonly sentence: string;
}

/** Reports on every chain that event time reaches and has not ended in, in the order of the plan; at a time. */
export function timeReports(
  plan: PhysicalPlan,
  metrics: RunMetricsSnapshot,
  nowMs: number,
): readonly TimeReport[] {
  const isTimed: boolean[] = [];
  const reports: TimeReport[] = [];
  for (const vertex of plan.vertices) {
    const assigns = vertex.operators.some(({ spec }) => spec.kind === 'assignTimestamps');
    const isReached = vertex.inputs.some((edge) => isTimed[plan.edges[edge]?.from ?? -1] === true);
    isTimed.push(assigns || isReached);
    // A chain that only writes waits for nothing.
    if (!isTimed[vertex.id] || vertex.operators.length === 0) continue;
    const own = ownTimes(vertex, metrics, nowMs);
    const inputs = assigns ? own : inputTimes(plan, vertex, metrics, nowMs);
    const report = reportOf(vertex, own, inputs);
    if (report !== null) reports.push(report);
  }
  return reports;
}

type InputTime = TimeInput & { readonly isIdle: boolean };

/** The subtasks of a chain. */
function ownTimes(
  vertex: Vertex,
  metrics: RunMetricsSnapshot,
  nowMs: number,
): readonly InputTime[] {
  const { subtasks = [], heldBySplits = [] } = metrics.vertices[vertex.id] ?? {};
  return subtasks.map((task, subtask) => ({
    chain: vertex.name,
    subtask,
    split: heldBySplits[subtask] ?? null,
    calls: callsOf(task, nowMs),
    watermarkMs: task.watermarkMs,
    isIdle: task.isIdle,
  }));
}

function callsOf(
  task: Pick<TaskMetricsSnapshot, 'callsInFlight' | 'oldestCallMs'> | undefined,
  nowMs: number,
): CallsUnderWay | null {
  if (task === undefined || task.callsInFlight === 0) return null;
  const oldestMs = task.oldestCallMs === 0 ? 0 : Math.max(0, nowMs - task.oldestCallMs);
  return { inFlight: task.callsInFlight, oldestMs };
}

/** What each subtask before a chain last told it; the least, where it told several of its subtasks. */
function inputTimes(
  plan: PhysicalPlan,
  vertex: Vertex,
  metrics: RunMetricsSnapshot,
  nowMs: number,
): readonly InputTime[] {
  return vertex.inputs.flatMap((edgeId) => {
    const from = plan.edges[edgeId]?.from ?? -1;
    const chain = plan.vertices[from]?.name ?? '?';
    const { subtasks = [], heldBySplits: splits = [] } = metrics.vertices[from] ?? {};
    const bySubtask = new Map<number, InputTime>();
    for (const { from: subtask, watermarkMs, isIdle } of metrics.edges[edgeId]?.channels ?? []) {
      const known = bySubtask.get(subtask);
      if (known !== undefined && !isEarlier(watermarkMs, known.watermarkMs)) continue;
      const split = splits[subtask] ?? null;
      const calls = callsOf(subtasks[subtask], nowMs);
      bySubtask.set(subtask, { chain, subtask, split, calls, watermarkMs, isIdle });
    }
    return [...bySubtask.values()];
  });
}

function reportOf(
  vertex: Vertex,
  own: readonly InputTime[],
  inputs: readonly InputTime[],
): TimeReport | null {
  const waitedFor = inputs.filter(({ isIdle, watermarkMs }) => !isIdle && !hasEnded(watermarkMs));
  const idle = inputs.filter(({ isIdle, watermarkMs }) => isIdle && !hasEnded(watermarkMs));
  const active = own.filter(({ isIdle }) => !isIdle);
  const counting = active.length > 0 ? active : own;
  const watermarkMs = leastOf(counting.map((subtask) => subtask.watermarkMs));
  const least = leastOf(waitedFor.map((input) => input.watermarkMs));
  const isBehind = isEarlier(watermarkMs, least) || waitedFor.length === 0;
  const calling = own.filter((task) => task.calls !== null && task.watermarkMs === watermarkMs);
  if (waitedFor.length === 0 && idle.length === 0 && calling.length === 0) return null;
  const heldBackBy =
    isBehind && calling.length > 0
      ? calling
      : waitedFor.filter((input) => input.watermarkMs === least);
  return {
    vertex: vertex.id,
    chain: vertex.name,
    watermarkMs,
    heldBackBy: heldBackBy.map(plain),
    idle: idle.map(plain),
    sentence: sentenceOf(vertex.name, watermarkMs, heldBackBy, idle),
  };
}

function sentenceOf(
  chain: string,
  watermarkMs: number | null,
  heldBackBy: readonly TimeInput[],
  idle: readonly TimeInput[],
): string {
  const at = watermarkMs === null ? 'has no event time yet' : `is at ${timeText(watermarkMs)}`;
  const parts = [`${shortName(chain)} ${at}`];
  const isOwn = heldBackBy.some((input) => input.chain === chain && input.calls === null);
  if (isOwn && watermarkMs === null) {
    parts.push(`no record has brought one to ${subtasksText(heldBackBy)}`);
  } else if (heldBackBy.length > 0) {
    parts.push(`held back by ${inputsText(heldBackBy)}`);
  }
  if (idle.length > 0) parts.push(`not waiting for ${inputsText(idle)}, idle`);
  if (heldBackBy.length === 0) parts.push('all its inputs are idle');
  return parts.join('; ');
}

function inputsText(inputs: readonly TimeInput[]): string {
  const chains = [...new Set(inputs.map((input) => input.chain))];
  const texts = chains.map((chain) => {
    const own = inputs.filter((input) => input.chain === chain);
    return `${subtasksText(own)} of ${shortName(chain)}`;
  });
  return texts.join(' and ');
}

/** A chain by its first and last operators, which is enough to find it. */
function shortName(chain: string): string {
  const parts = chain.split(' -> ');
  return parts.length < 3 ? `"${chain}"` : `"${parts[0]} -> … -> ${parts.at(-1)}"`;
}

/** Such as `subtasks 0 (split eu), 2 (3 calls under way, the oldest for 1.50 s)`. */
function subtasksText(inputs: readonly TimeInput[]): string {
  const numbers = inputs.map(({ subtask, split, calls }) => {
    const parts = split === null ? [] : [`split ${split}`];
    if (calls !== null) parts.push(callsText(calls));
    return parts.length === 0 ? `${subtask}` : `${subtask} (${parts.join(', ')})`;
  });
  return `${numbers.length === 1 ? 'subtask' : 'subtasks'} ${numbers.join(', ')}`;
}

function callsText({ inFlight, oldestMs }: CallsUnderWay): string {
  const many = inFlight === 1 ? '1 call' : `${inFlight} calls`;
  return `${many} under way, the oldest for ${formatDuration(oldestMs)}`;
}

function timeText(watermarkMs: number): string {
  if (hasEnded(watermarkMs)) return 'its end';
  const date = new Date(watermarkMs);
  return Number.isNaN(date.getTime()) ? `${watermarkMs} ms` : date.toISOString();
}

function hasEnded(watermarkMs: number | null): boolean {
  return watermarkMs !== null && watermarkMs >= WATERMARK_MAX;
}

/** Null is before every watermark. */
function isEarlier(a: number | null, b: number | null): boolean {
  return b !== null && (a === null || a < b);
}

function leastOf(watermarks: readonly (number | null)[]): number | null {
  let least: number | null = WATERMARK_MAX;
  for (const watermark of watermarks) if (isEarlier(watermark, least)) least = watermark;
  return watermarks.length === 0 ? null : least;
}

function plain({ chain, subtask, split, calls, watermarkMs }: TimeInput): TimeInput {
  return { chain, subtask, split, calls, watermarkMs };
}
