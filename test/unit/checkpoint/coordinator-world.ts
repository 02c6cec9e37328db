/**
 * The world around a checkpoint coordinator, small enough to try everything that can happen in it: slots of one subtask
 * with a sink each, a store, a committer and a user. Every step is checked against what has to hold between the state
 * before it and the state after it. Callers: the exploration and the random runs of the coordinator.
 */
import { MillraceError, toWire } from '../../../src/base/errors.js';
import { CheckpointCoordinator } from '../../../src/checkpoint/checkpoint-coordinator.js';
import type {
  CheckpointAction,
  CheckpointEvent,
  CheckpointPolicy,
  CheckpointRequest,
} from '../../../src/checkpoint/checkpoint-protocol.js';
import {
  beginCheckpoints,
  type CheckpointState,
} from '../../../src/checkpoint/checkpoint-state.js';
import { NO_STATISTICS } from '../../../src/checkpoint/checkpoint-statistics.js';
import type {
  CheckpointReport,
  SinkCommit,
  SlotSnapshot,
  SubtaskSnapshot,
} from '../../../src/checkpoint/contract.js';

/** What a slot of the model is doing. */
interface Slot {
  readonly phase: 'running' | 'finished' | 'ended';
  /** Triggers that are on their way to it. */
  readonly inbox: readonly number[];
  /** The last one whose barrier its subtask took. */
  readonly taken: number;
  /** Taken before its subtask finished, and not answered yet. */
  readonly open: number | null;
  /** Whether it stands at the barrier of a stop. */
  readonly isHalted: boolean;
}

/** Everything: what may happen next depends on nothing else. */
export interface World {
  readonly coordinator: CheckpointState;
  readonly nowMs: number;
  readonly slots: readonly Slot[];
  /** What users may still ask for. */
  readonly requests: readonly CheckpointRequest[];
  /** Output that the coordinator was given and that is not visible yet, with its checkpoint. */
  readonly prepared: readonly { readonly name: string; readonly checkpoint: number }[];
  readonly committing: number | null | undefined;
  readonly isFinished: boolean;
}

/** A possible next step; its name is stable. */
export interface Step {
  readonly name: string;
  readonly to: () => World;
}

/** What a campaign must have met. */
export const RARE = [
  'a checkpoint completed',
  'a savepoint completed',
  'the job was stopped with a savepoint',
  'the final one completed',
  'the final one was tried again',
  'a checkpoint was aborted: declined',
  'a checkpoint was aborted: expired',
  'a checkpoint was aborted: subsumed',
  'a checkpoint was aborted: storeFailed',
  'a checkpoint was aborted: shutdown',
  'a savepoint was aborted: declined',
  'a savepoint was aborted: expired',
  'a savepoint was aborted: subsumed',
  'a savepoint was aborted: storeFailed',
  'a savepoint was aborted: shutdown',
  'the job ended while a checkpoint was stored',
  'one was stored after the end',
  'two were under way at a time',
  'one was begun beside finished ones',
  'a checkpoint held changes only',
  'a checkpoint held changes because it was followed',
  'one more was kept for who follows',
  'output waited for a later checkpoint',
  'a store waited for a commit',
  'a slot acknowledged what was aborted',
  'a slot ended without an answer that was waited for',
  'a request came too late',
  'failures failed the job',
] as const;

/** How far a world goes. */
export interface WorldLimits {
  readonly policy: CheckpointPolicy;
  readonly slots: number;
  /** No checkpoint is begun after this many. */
  readonly checkpointsMax: number;
  readonly requests: readonly CheckpointRequest[];
  /** Whether somebody may follow the checkpoints, and leave off again. */
  readonly mayFollow?: boolean;
}

const ERROR = toWire(new MillraceError('FILE_UNWRITABLE', 'The disk is full.'));
const TIMING = {
  startDelayMs: 0,
  alignmentMs: 0,
  syncMs: 0,
  asyncMs: 0,
  bytes: 1,
  inFlightBytes: 0,
};

export function firstWorld({ policy, slots, requests }: WorldLimits): World {
  const ids = Array.from({ length: slots }, (_, slot) => slot);
  const start = {
    policy,
    slots: ids,
    nextId: 1,
    restored: null,
    retained: [],
    statistics: NO_STATISTICS,
    epochMs: 0,
  };
  const half = { nextUint32: () => 2 ** 31, next: () => 0.5, below: (bound: number) => bound >> 1 };
  return {
    coordinator: beginCheckpoints(start, half),
    nowMs: 0,
    slots: ids.map(() => ({ phase: 'running', inbox: [], taken: 0, open: null, isHalted: false })),
    requests,
    prepared: [],
    committing: undefined,
    isFinished: false,
  };
}

/** What may happen. `sometimes` hears of what is worth having seen. */
export function stepsFrom(
  world: World,
  limits: WorldLimits,
  sometimes: (what: string) => void,
): readonly Step[] {
  const { coordinator: state, slots } = world;
  const reason = world.isFinished ? 'finished' : state.isFailing ? 'failed' : 'canceled';
  const send = (name: string, event: CheckpointEvent, rest: Partial<World> = {}): Step => ({
    name,
    to: () => happen({ ...world, ...rest }, event, sometimes),
  });
  const shutdown = send(`job ${reason}`, { kind: 'shutdown' });
  // It follows at once.
  if (state.isFailing && !state.hasEnded) return [shutdown];
  const steps: Step[] = [];
  if (!state.isRunning && !state.hasEnded) steps.push(send('running', { kind: 'running' }));
  const wakeAtMs = new CheckpointCoordinator(state).wakeAtMs;
  if (wakeAtMs < Number.POSITIVE_INFINITY && state.nextId <= limits.checkpointsMax) {
    const nowMs = Math.max(world.nowMs, wakeAtMs);
    steps.push(send('tick', { kind: 'tick' }, { nowMs }));
  }
  for (const [index, request] of world.requests.entries()) {
    const requests = world.requests.toSpliced(index, 1);
    steps.push(send(`request ${request.kind}`, { kind: 'request', request }, { requests }));
  }
  const storing = state.storing?.trigger.id;
  if (storing !== undefined) {
    const path = `chk-${storing}`;
    steps.push(
      send('stored', {
        kind: 'stored',
        checkpoint: storing,
        path,
        isHeavy: false,
        fullBytes: 25,
        directoryBytes: 70,
      }),
    );
    const failed = { kind: 'storeFailed', checkpoint: storing, error: ERROR } as const;
    steps.push(send('store failed', failed));
  }
  const { committing } = world;
  if (committing !== undefined) {
    const event = { kind: 'committed', checkpoint: committing } as const;
    steps.push(send('committed', event, { committing: undefined }));
  }
  if (limits.mayFollow === true && !state.hasEnded) {
    const isFollowed = !state.isFollowed;
    const name = isFollowed ? 'somebody follows' : 'nobody follows any more';
    steps.push(send(name, { kind: 'followed', isFollowed }));
  }
  for (const [slot] of slots.entries()) steps.push(...slotSteps(world, slot, send));
  if (!state.hasEnded) steps.push(shutdown);
  return steps;
}

function slotSteps(
  world: World,
  slot: number,
  send: (name: string, event: CheckpointEvent, rest: Partial<World>) => Step,
): readonly Step[] {
  const { coordinator: state, slots } = world;
  const it = slots[slot];
  if (it.phase === 'ended') return [];
  const changed = (change: Partial<Slot>): Partial<World> => ({
    slots: slots.with(slot, { ...it, ...change }),
  });
  if (state.hasEnded) {
    // Nothing else that slots say is listened to.
    const end = changed({ phase: 'ended', inbox: [], open: null });
    return [send(`slot ${slot} ends`, { kind: 'slotEnded', slot }, end)];
  }
  const steps: Step[] = [];
  const [next, ...inbox] = it.inbox;
  if (next !== undefined) {
    // Lost, or aborted before the barrier came.
    steps.push({
      name: `slot ${slot} misses the barrier`,
      to: () => ({ ...world, ...changed({ inbox }) }),
    });
  }
  const answer = (
    id: number,
    change: Partial<Slot>,
    subtasks: readonly SubtaskSnapshot[],
  ): void => {
    const commits = subtasks.flatMap((subtask) => subtask.commits);
    const snapshot = { checkpoint: id, slot, subtasks, file: null };
    const declined = { kind: 'slotDeclined', checkpoint: id, slot, error: ERROR } as const;
    const prepared = [...world.prepared, ...namesIn(commits, id)];
    const rest = { ...changed(change), prepared };
    steps.push(
      send(`slot ${slot} acknowledges`, { kind: 'slotAcknowledged', snapshot }, rest),
      send(`slot ${slot} declines`, { ...declined, commits }, rest),
    );
  };
  const finish = (change: Partial<Slot>, taken: number, isHalted: boolean): void => {
    const full = snapshotOf(slot, taken + 1, true);
    const snapshot = isHalted ? { ...full, commits: [] } : full;
    const event = { kind: 'subtaskFinished', checkpoint: taken, snapshot } as const;
    const prepared = [...world.prepared, ...namesIn(snapshot.commits, taken + 1)];
    const rest = { ...changed({ ...change, taken, isHalted, phase: 'finished' }), prepared };
    steps.push(send(`slot ${slot} finishes after ${taken}`, event, rest));
  };
  if (it.phase === 'running') {
    // When the barrier is taken shows to others by the answer, but where the subtask finishes between the two.
    if (next !== undefined && !it.isHalted) {
      const isHalted = (state.pending.get(next)?.trigger.stop ?? 'none') !== 'none';
      answer(next, { inbox, taken: next, isHalted }, [snapshotOf(slot, next, false)]);
      finish({ inbox, open: next }, next, isHalted);
    }
    finish({}, it.taken, it.isHalted);
  } else if (it.open !== null) {
    answer(it.open, { open: null }, [snapshotOf(slot, it.open, false)]);
  } else {
    if (next !== undefined) answer(next, { inbox }, []);
    const end = changed({ phase: 'ended', inbox: [] });
    steps.push(send(`slot ${slot} ends`, { kind: 'slotEnded', slot }, end));
  }
  return steps;
}

/** Each epoch of a subtask has output of its own, so that every piece can be followed by its name. */
function snapshotOf(slot: number, epoch: number, isFinished: boolean): SubtaskSnapshot {
  const commits = [{ uid: `sink-${slot}`, committables: [`${slot}.${epoch}`] }];
  return {
    vertex: 0,
    subtask: slot,
    isFinished,
    pieces: [],
    source: null,
    commits,
    timing: TIMING,
  };
}

function namesIn(commits: readonly SinkCommit[], checkpoint: number): World['prepared'] {
  return commits.flatMap(({ committables }) =>
    committables.map((name) => ({ name: String(name), checkpoint })),
  );
}

/** Lets an event happen and checks what came of it. */
function happen(before: World, event: CheckpointEvent, sometimes: (what: string) => void): World {
  const state = copyOf(before.coordinator);
  const coordinator = new CheckpointCoordinator(state);
  const actions = coordinator.handle(event, before.nowMs);
  let world: World = { ...before, coordinator: state };
  for (const action of actions) world = carryOut(world, action);
  checkStep(before, world, event, actions);
  notice(before, world, event, actions, sometimes);
  return world;
}

function carryOut(world: World, action: CheckpointAction): World {
  switch (action.kind) {
    case 'trigger': {
      const { id } = action.trigger;
      const slots = world.slots.map((slot, index) =>
        action.slots.includes(index) ? { ...slot, inbox: [...slot.inbox, id] } : slot,
      );
      return { ...world, slots };
    }
    case 'commit': {
      check(world.committing === undefined, 'one commit at a time');
      const names = namesIn(action.commits, 0).map(({ name }) => name);
      const due = world.prepared.filter(
        ({ checkpoint }) => action.checkpoint === null || checkpoint <= action.checkpoint,
      );
      sameNames(names, due, 'all output up to a checkpoint is committed with it, and only once');
      const prepared = world.prepared.filter((entry) => !due.includes(entry));
      return { ...world, prepared, committing: action.checkpoint };
    }
    case 'store': {
      const { trigger, slots, finished, commits } = action.checkpoint;
      const due = world.prepared.filter(({ checkpoint }) => checkpoint <= trigger.id);
      const names = namesIn(commits, 0).map(({ name }) => name);
      sameNames(names, due, 'a checkpoint holds all output up to it that is not visible');
      checkWhole(world, trigger.id, slots, finished);
      check(world.committing === undefined, 'nothing is stored while output is committed');
      return world;
    }
    case 'finished':
      check(!world.isFinished && world.prepared.length === 0, 'a job ends once, without leftovers');
      return { ...world, isFinished: true };
    default:
      return world;
  }
}

/** Every subtask contributes exactly once: a snapshot of its own where it took the barrier, else as finished. */
function checkWhole(
  world: World,
  id: number,
  answers: readonly SlotSnapshot[],
  finished: readonly SubtaskSnapshot[],
): void {
  const parts = [...answers.flatMap(({ subtasks }) => subtasks), ...finished];
  check(parts.length === world.slots.length, `checkpoint ${id} has all subtasks`);
  for (const [slot, { phase, taken }] of world.slots.entries()) {
    const part = parts.find(({ subtask }) => subtask === slot);
    const tookPart = phase === 'running' || taken >= id;
    check(part?.isFinished === !tookPart, `subtask ${slot} is in checkpoint ${id} as it was`);
  }
}

function checkStep(
  before: World,
  after: World,
  event: CheckpointEvent,
  actions: readonly CheckpointAction[],
): void {
  const [was, is] = [before.coordinator, after.coordinator];
  const of = <K extends CheckpointAction['kind']>(kind: K) =>
    actions.filter((action): action is CheckpointAction & { kind: K } => action.kind === kind);
  const triggered = of('trigger').map(({ trigger }) => trigger.id);
  const completed = of('completed').map(({ trigger }) => trigger.id);
  const aborted = of('aborted').map(({ report }) => report.id);
  // An id that leaves the pending ones never comes back, so this holds over whole runs: once at most, and not after.
  check(
    triggered.every((id, index) => id === was.nextId + index),
    'ids follow each other',
  );
  const left = [...was.pending.keys(), ...triggered].filter((id) => !is.pending.has(id));
  same([...completed, ...aborted].toSorted(), left.toSorted(), 'what is over was told once');
  check(
    [...is.pending.keys()].every((id) => id < is.nextId),
    'nothing pends that was not begun',
  );
  check(completed.length === 0 || event.kind === 'stored', 'only what is stored is complete');
  check(!was.hasEnded || triggered.length === 0, 'nothing is begun after the end');
  check(!was.isFailing || triggered.length === 0, 'nothing is begun while the job fails');

  const tokens = [
    ...tokensOf(was),
    ...(event.kind === 'request' ? [event.request.token] : []),
  ].filter((token) => !tokensOf(is).includes(token));
  same(
    of('answer')
      .map(({ token }) => token)
      .toSorted(),
    tokens.toSorted(),
    'one answer each',
  );

  const gone = [...of('discard'), ...of('dispose')].map(({ checkpoint }) => checkpoint);
  const clean = [...was.undone, ...was.retained, ...aborted, ...completed].filter(
    (id) => !is.undone.has(id) && !is.retained.includes(id) && !isSavepoint(of('completed'), id),
  );
  same(gone.toSorted(), clean.toSorted(), 'what goes is thrown away once');
  const isLonger = is.retained.length > was.retained.length;
  check(
    is.retained.length <= is.policy.numRetained || is.isFollowed || !isLonger,
    'no more are retained than wanted',
  );
  check(
    is.hasEnded || is.newest === 0 || is.retained.at(-1) === is.newest,
    'the newest checkpoint is retained',
  );
  for (const { trigger } of of('trigger')) {
    const base = trigger.id - 1;
    check(trigger.isFull || is.retained.includes(base), 'changes have a base that is there');
    check(trigger.isFull || (trigger.isShared && is.isNewestShared), 'changes are of shared ones');
    check(
      trigger.isShared ===
        (trigger.kind === 'checkpoint' && (is.policy.isIncremental || is.isFollowed)),
      'those that are built on are shared',
    );
  }

  let failures = was.failures;
  for (const { report } of of('aborted')) failures += !is.hasEnded && isCounted(report) ? 1 : 0;
  if (is.newest !== was.newest) failures = 0;
  check(is.failures === failures, 'failures in a row are counted');
  const hasFailed = of('aborted').some(({ report }) => report.reason !== 'shutdown');
  check(of('failJob').length === 0 || (hasFailed && !was.isFailing), 'a job is failed once');
  const isTooMany = failures > is.policy.tolerableFailures;
  check(!isTooMany || is.isFailing, 'too many failures fail the job');

  const { counts, history } = is.statistics;
  check(counts.inProgress === is.pending.size, 'those under way are counted');
  check(counts.total === is.nextId - 1, 'all are counted');
  check(counts.total === counts.inProgress + counts.completed + counts.failed, 'counts add up');
  check(
    counts.completed - was.statistics.counts.completed === completed.length,
    'completed ones are counted',
  );
  check(history.length <= 10 + counts.inProgress, 'the history is bounded');
  const isWaiting = is.pending.size > 0 && !is.isFailing && !is.hasEnded && is.storing === null;
  const { wakeAtMs } = new CheckpointCoordinator(is);
  check(!isWaiting || wakeAtMs < Number.POSITIVE_INFINITY, 'nothing pends for ever');
  check(!isWaiting || wakeAtMs > after.nowMs, 'what is due is done at once');
}

/** Nothing may happen any more: the world must be tidy. */
export function checkEnd({ coordinator: state, prepared, slots, isFinished }: World): void {
  check(state.hasEnded, 'a run ends by a shutdown');
  check(
    slots.every(({ phase }) => phase === 'ended'),
    'all slots have ended',
  );
  check(state.pending.size + state.undone.size + state.queue.length === 0, 'nothing is left');
  check(!isFinished || prepared.length === 0, 'a job that finished has all its output visible');
  const last = state.retained.at(-1) ?? 0;
  check(last === state.newest, 'the newest stays, for whoever decides how the job goes on');
}

function notice(
  before: World,
  after: World,
  event: CheckpointEvent,
  actions: readonly CheckpointAction[],
  sometimes: (what: string) => void,
): void {
  const [was, is] = [before.coordinator, after.coordinator];
  for (const action of actions) {
    if (action.kind === 'aborted') {
      const { reason, kind } = action.report;
      sometimes(`a ${kind} was aborted: ${reason}`);
    }
    if (action.kind === 'completed') {
      const { kind, stop } = action.trigger;
      sometimes(stop === 'none' ? `a ${kind} completed` : 'the job was stopped with a savepoint');
      if (was.pending.get(action.trigger.id)?.isFinal === true)
        sometimes('the final one completed');
    }
    if (action.kind === 'trigger') {
      if (!action.trigger.isFull) sometimes('a checkpoint held changes only');
      const { isFull, isShared } = action.trigger;
      if (!isFull && isShared && !is.policy.isIncremental) {
        sometimes('a checkpoint held changes because it was followed');
      }
      if (was.pending.size > 0) sometimes('two were under way at a time');
      if (is.live.size > 0 && is.finished.length > 0)
        sometimes('one was begun beside finished ones');
      if (is.live.size === 0 && is.failures > 0) sometimes('the final one was tried again');
    }
    if (action.kind === 'store' && was.isCommitting) sometimes('a store waited for a commit');
    if (action.kind === 'failJob') sometimes('failures failed the job');
    if (action.kind === 'answer' && 'error' in action.outcome && event.kind === 'slotEnded') {
      sometimes('a request came too late');
    }
  }
  if (event.kind === 'shutdown' && was.storing !== null) {
    sometimes('the job ended while a checkpoint was stored');
  }
  if (event.kind === 'stored' && is.hasEnded) sometimes('one was stored after the end');
  if (is.retained.length > is.policy.numRetained) sometimes('one more was kept for who follows');
  if (event.kind === 'slotAcknowledged' && !was.pending.has(event.snapshot.checkpoint)) {
    sometimes('a slot acknowledged what was aborted');
  }
  if (
    event.kind === 'slotEnded' &&
    [...was.pending.values()].some((p) => p.waitsFor.has(event.slot))
  ) {
    sometimes('a slot ended without an answer that was waited for');
  }
  const carried = is.held.filter(({ checkpoint }) => checkpoint < is.newest);
  check(is.hasEnded || carried.length === 0, 'nothing older than the newest checkpoint is held');
  if (is.held.some(({ checkpoint }) => checkpoint < is.nextId - 1)) {
    sometimes('output waited for a later checkpoint');
  }
}

/** A copy that nothing is shared with; values that never change are. */
export function copyOf(state: CheckpointState): CheckpointState {
  const pending = new Map(
    [...state.pending].map(([id, one]) => [
      id,
      { ...one, waitsFor: new Set(one.waitsFor), answers: [...one.answers] },
    ]),
  );
  return {
    ...state,
    live: new Set(state.live),
    pending,
    answered: new Map(state.answered),
    finished: [...state.finished],
    undone: new Set(state.undone),
    storing:
      state.storing === null ? null : (pending.get(state.storing.trigger.id) ?? state.storing),
  };
}

/** The same text for worlds in which the same can happen: slots count by what they do, times by how long until. */
export function signatureOf(world: World): string {
  const { coordinator: state, nowMs } = world;
  const inMs = (timeMs: number): number => Math.max(timeMs - nowMs, -state.policy.minPauseMs);
  if (state.hasEnded) {
    const live = [...state.live].map((slot) => state.answered.get(slot) ?? 0).toSorted();
    const rest = [[...state.undone], state.storing?.trigger.id, world.committing ?? -1];
    return JSON.stringify([live, rest, world.isFinished, state.retained, state.hasEnded]);
  }
  const slots = world.slots.map((slot, index) => [
    slot.phase,
    slot.inbox,
    slot.taken,
    slot.open,
    slot.isHalted,
    state.answered.get(index) ?? 0,
    [...state.pending.values()].map(({ waitsFor }) => waitsFor.has(index)),
    world.prepared.flatMap(({ name, checkpoint }) =>
      name.startsWith(`${index}.`) ? [checkpoint] : [],
    ),
  ]);
  return JSON.stringify([
    slots.map((slot) => JSON.stringify(slot)).toSorted(),
    [...state.pending.values()].map((one) => [
      one.trigger.id,
      one.trigger.kind,
      one.trigger.stop,
      one.isFinal,
      one.startedMs - nowMs,
    ]),
    state.queue.map(({ kind, stop }) => [kind, stop]),
    [...state.undone],
    state.retained,
    state.storing?.trigger.id,
    world.requests.map(({ kind, stop }) => [kind, stop]),
    [world.committing === undefined ? -1 : world.committing, world.isFinished],
    [state.nextId, state.newest, state.gathered, state.failures],
    [inMs(state.dueMs), inMs(state.completedMs)],
    [state.isRunning, state.isCommitting, state.isFailing, state.isEndSafe],
    [state.isStopped, state.hasEnded, state.isFinished],
  ]);
}

function tokensOf(state: CheckpointState): readonly number[] {
  const pending = [...state.pending.values()].flatMap(({ request }) => request ?? []);
  return [...state.queue, ...pending].map(({ token }) => token);
}

function isSavepoint(
  completed: readonly { readonly report: CheckpointReport }[],
  id: number,
): boolean {
  return completed.some(({ report }) => report.id === id && report.kind === 'savepoint');
}

function isCounted({ kind, reason }: CheckpointReport): boolean {
  return kind === 'checkpoint' && reason !== 'subsumed' && reason !== 'shutdown';
}

function sameNames(names: readonly string[], due: World['prepared'], what: string): void {
  same(names.toSorted(), due.map(({ name }) => name).toSorted(), what);
}

function same(got: readonly unknown[], wanted: readonly unknown[], what: string): void {
  check(
    got.length === wanted.length && got.every((value, index) => value === wanted[index]),
    `${what}: got [${got.join(', ')}], not [${wanted.join(', ')}]`,
  );
}

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`It does not hold that ${what}.`);
}
