import { col, collection, csv, job, sum } from 'millrace';
import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../../src/base/errors.js';
import type { CheckpointManifest } from '../../../src/checkpoint/contract.js';
import type { PhysicalPlan } from '../../../src/graph/physical-plan.js';
import { planJob } from '../../../src/graph/plan.js';
import { planRestore, uidsOf } from '../../../src/runtime/restore-plan.js';

function planOf(sumUid: string, maxParallelism = 128): PhysicalPlan {
  const definition = job('sums', (flow) => {
    flow
      .from(collection([{ k: 1, v: 2 }]), { uid: 'numbers' })
      .filter(col('v').gt(0), { uid: 'positive' })
      .keyBy('k')
      .aggregate({ total: sum('v') }, { uid: sumUid, name: sumUid })
      .to(csv('out'), { uid: 'files' });
  });
  return planJob(definition.build({}), { parallelism: 2, maxParallelism });
}

const none = { inHand: [], finished: [] };
const piece = { name: 'sums', keyGroup: 5, isChanges: false, at: { bytes: new Uint8Array() } };

function manifestOf(plan: PhysicalPlan, finished: readonly string[] = []): CheckpointManifest {
  const operators = plan.vertices.flatMap((vertex) =>
    uidsOf(vertex).map((uid) => ({
      uid,
      name: uid,
      parallelism: vertex.parallelism,
      maxParallelism: vertex.maxParallelism,
      isFinished: finished.includes(uid),
    })),
  );
  const sums = operators.find(({ uid }) => uid === 'totals' || uid === 'totalz')?.uid ?? '';
  return {
    id: 7,
    kind: 'checkpoint',
    timestampMs: 0,
    jobId: 'j',
    jobName: 'sums',
    attempt: 1,
    params: {},
    operators,
    sources: [{ uid: 'numbers', plan: { splits: [{ id: 'a' }] }, progress: [none, none] }],
    sinks: [{ uid: 'files', plan: { directory: 'out' }, committables: ['part'] }],
    pieces: [{ ...piece, uid: sums, subtask: 0 }],
    files: [],
  };
}

const from = { path: null, isOwn: true, allowNonRestored: false };

function failureOf(action: () => unknown): MillraceError {
  try {
    action();
  } catch (error) {
    if (MillraceError.is(error)) return error;
    throw error;
  }
  throw new Error('It was accepted.');
}

describe('planning a restore', () => {
  it('maps by uid and keeps what sources and sinks had decided', () => {
    const plan = planOf('totals');
    const { mapping, connectors, restore } = planRestore(manifestOf(plan), plan, from);
    expect(mapping.restored).toEqual(
      expect.arrayContaining(['files', 'numbers', 'positive', 'totals']),
    );
    expect(mapping.fresh).toEqual([]);
    expect(restore.checkpoint).toBe(7);
    const sinks = connectors.sinkPlans.flat().filter((sink) => sink !== undefined);
    expect(sinks.map(({ committables }) => committables)).toEqual([['part']]);
    const deals = restore.sources.find((source) => source !== null);
    expect(deals?.map(({ unread }) => unread)).toEqual([[0]]);
  });

  it('refuses to lose state, and names what it was probably renamed to', () => {
    const manifest = manifestOf(planOf('totals'));
    const renamed = planOf('totalz');
    const error = failureOf(() => planRestore(manifest, renamed, from));
    expect(error.code).toBe('STATE_NOT_RESTORED');
    expect(error.message).toContain('uid totals, perhaps now "totalz"');
    const allowed = planRestore(manifest, renamed, { ...from, allowNonRestored: true });
    expect(allowed.mapping.lost).toEqual(['totals']);
    expect(allowed.mapping.fresh).toContain('totalz');
  });

  it('refuses another number of key groups for keyed state', () => {
    const manifest = manifestOf(planOf('totals'));
    const error = failureOf(() => planRestore(manifest, planOf('totals', 64), from));
    expect(error.code).toBe('PARALLELISM_INVALID');
    expect(error.advice).toContain('128');
  });

  it('takes a chain for finished only when everything in it was', () => {
    const plan = planOf('totals');
    const all = plan.vertices.flatMap(uidsOf);
    const finished = planRestore(manifestOf(plan, all), plan, from).restore.finished;
    expect(finished).toEqual(plan.vertices.map(({ id }) => id));
    const some = planRestore(manifestOf(plan, ['positive']), plan, from);
    expect(some.restore.finished).toEqual([]);
  });
});
