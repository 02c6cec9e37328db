/**
 * A job as the server remembers it, through all of its lives: what was submitted, how far it has come, how it ended.
 * Plain data; every change makes a new record. Callers: `served-job.ts`, the store, the views. Runs on: the server's
 * thread; pure. Invariant: a job that has ended never changes its state again.
 */
import { assert } from '../base/assert.js';
import { type MillraceError, toWire, type WireError } from '../base/errors.js';
import type { CheckpointStatistics } from '../checkpoint/checkpoint-statistics.js';
import { NO_STATISTICS } from '../checkpoint/checkpoint-statistics.js';
import type { PlanExplanation } from '../graph/explain.js';
import { JOB_STATES, type JobStatus } from '../rest/job-schemas.js';
import type { RunMetricsSnapshot } from '../runtime/metrics-snapshot.js';
import { resolveSettings, type Settings } from '../runtime/settings.js';

/** Failures that are kept, as in Flink. */
const FAILURES_MAX = 16;

/** What was submitted. */
export interface Submission {
  /** Name of the bundle, for people. */
  readonly bundle: string;
  /** Which job of the module; null for its default export or only one. */
  readonly jobName: string | null;
  readonly params: Readonly<Record<string, unknown>>;
  readonly settings: Settings;
  /** Relative paths of the job start here. Absolute. */
  readonly baseDirectory: string;
  readonly submittedMs: number;
}

/** Why the job failed once. */
export interface JobFailure {
  readonly atMs: number;
  readonly error: WireError;
}

/** The record. */
export interface JobRecord {
  readonly id: string;
  readonly submission: Submission;
  readonly status: JobStatus;
  /** When it entered each state last. */
  readonly timestamps: Readonly<Partial<Record<JobStatus, number>>>;
  /** Null until it has been planned for the first time. */
  readonly plan: PlanExplanation | null;
  /** Of the process it runs in; null for none. */
  readonly pid: number | null;
  readonly restarts: number;
  /** By uid of chains, how many of these were of other parts of the job alone; absent where none was. */
  readonly spared?: Readonly<Record<string, number>>;
  /** Newest first. */
  readonly failures: readonly JobFailure[];
  readonly checkpoints: CheckpointStatistics;
  /** Counters at its end; null before. */
  readonly metrics: RunMetricsSnapshot | null;
}

/** States that a job never leaves. */
const TERMINAL: ReadonlySet<JobStatus> = new Set<JobStatus>(['FINISHED', 'FAILED', 'CANCELED']);

export function isTerminal(status: JobStatus): boolean {
  return TERMINAL.has(status);
}

/** After a restart, of these chains or, null, of all. */
export function withRestart(record: JobRecord, vertices: readonly number[] | null): JobRecord {
  const restarts = record.restarts + 1;
  if (vertices === null) return { ...record, restarts };
  const spared: Record<string, number> = { ...record.spared };
  for (const { id, uid } of record.plan?.vertices ?? []) {
    if (!vertices.includes(id)) spared[uid] = (spared[uid] ?? 0) + 1;
  }
  return { ...record, restarts, spared };
}

/** The number of the attempt that a chain is in, from 0. */
export function attemptOf(record: JobRecord, { uid }: { readonly uid: string }): number {
  return record.restarts - (record.spared?.[uid] ?? 0);
}

/** Of a job that was just submitted. */
export function newRecord(id: string, submission: Submission): JobRecord {
  return {
    id,
    submission,
    status: 'INITIALIZING',
    timestamps: { INITIALIZING: submission.submittedMs },
    plan: null,
    pid: null,
    restarts: 0,
    failures: [],
    checkpoints: NO_STATISTICS,
    metrics: null,
  };
}

/**
 * Of a job of which nothing is known any more but that it was there. Its settings name no directory of checkpoints, so
 * that nobody deletes any.
 */
export function damagedRecord(id: string, error: MillraceError, atMs: number): JobRecord {
  const submission = {
    bundle: 'unknown',
    jobName: null,
    params: {},
    settings: resolveSettings([]),
    baseDirectory: '/',
    submittedMs: atMs,
  };
  const failed = withStatus(newRecord(id, submission), 'FAILED', atMs);
  return withFailure(failed, { atMs, error: toWire(error) });
}

/** Whether a value read from disk has what everything else about a job hangs on. */
export function isRecord(value: unknown, id: string): value is JobRecord {
  const { submission, ...record } = Object(value) as Partial<JobRecord>;
  const given = Object(submission) as Partial<Submission>;
  return (
    record.id === id &&
    JOB_STATES.some((state) => state === record.status) &&
    [record.timestamps, record.checkpoints, given.params, given.settings].every(isObject) &&
    Array.isArray(record.failures) &&
    typeof given.bundle === 'string' &&
    typeof given.baseDirectory === 'string' &&
    typeof given.submittedMs === 'number'
  );
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

/** In another state. */
export function withStatus(record: JobRecord, status: JobStatus, atMs: number): JobRecord {
  assert(!isTerminal(record.status), 'A job that has ended does not change its state.');
  return { ...record, status, timestamps: { ...record.timestamps, [status]: atMs } };
}

/** With other settings. */
export function withSettings(record: JobRecord, changed: Partial<Settings>): JobRecord {
  const { submission } = record;
  const settings = { ...submission.settings, ...changed };
  return { ...record, submission: { ...submission, settings } };
}

/** With one more failure. */
export function withFailure(record: JobRecord, failure: JobFailure): JobRecord {
  return { ...record, failures: [failure, ...record.failures].slice(0, FAILURES_MAX) };
}

/** When it ended; null while it has not. */
export function endedMs({ status, timestamps }: JobRecord): number | null {
  return isTerminal(status) ? (timestamps[status] ?? null) : null;
}

/** The name of the job, as far as it is known. */
export function nameOf({ plan, submission }: JobRecord): string {
  return plan?.job ?? submission.jobName ?? submission.bundle;
}

/** Slots that the plan takes: a job on the thread of its process takes one. */
export function slotsOf(plan: PlanExplanation): number {
  return Math.max(1, plan.slots);
}
