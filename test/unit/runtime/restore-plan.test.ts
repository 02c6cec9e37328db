import { col, collection, csv, job, sum } from 'millrace';
import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../../src/base/errors.js';
import { inFlightName } from '../../../src/checkpoint/in-flight-pieces.js';
import { type CheckpointManifest, NO_KEY_GROUP } from '../../../src/checkpoint/contract.js';
import type { PhysicalPlan } from '../../../src/graph/physical-plan.js';
import { planJob, type PlanOptions } from '../../../src/graph/plan.js';
import { planRestore, planToKeep } from '../../../src/runtime/restore-plan.js';
import { uidsOf } from '../../../src/runtime/vertex-uids.js';

function planOf(
  sumUid: string,
  maxParallelism = 128,
  more: Partial<PlanOptions> = {},
): PhysicalPlan {
  const definition = job('sums', (flow) => {
    flow
      .from(collection([{ k: 1, v: 2 }]), { uid: 'numbers' })
      .filter(col('v').gt(0), { uid: 'positive' })
      .keyBy('k')
      .aggregate({ total: sum('v') }, { uid: sumUid, name: sumUid })
      .to(csv('out'), { uid: 'files' });
  });
  return planJob(definition.build({}), { parallelism: 2, maxParallelism, ...more });
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

  it('keeps the phases of an aggregation that records are on their way to, and of no other', () => {
    const phaseIn = (plan: PhysicalPlan) =>
      plan.vertices
        .flatMap(({ operators }) => operators)
        .flatMap(({ spec }) =>
          spec.kind === 'aggregate' && spec.uid === 'totals' ? [spec.phase] : [],
        );
    const [narrow, wide] = [planOf('totals', 128, { parallelism: 1 }), planOf('totals')];
    expect([narrow, wide].map(phaseIn)).toEqual([['single'], ['merge']]);
    for (const [before, after] of [
      [wide, narrow],
      [narrow, wide],
    ] as const) {
      const manifest = manifestOf(before);
      expect(planToKeep(manifest, after)).toBe(null);
      const name = inFlightName({ input: 0, to: 0, stage: 'sent' });
      const underWay = { ...piece, uid: 'totals', name, keyGroup: NO_KEY_GROUP, subtask: 0 };
      const overtaken = { ...manifest, pieces: [...manifest.pieces, underWay] };
      const kept = planToKeep(overtaken, after);
      expect(kept).toEqual({ keyGroups: {}, twoPhases: { totals: before === wide } });
      const again = planOf('totals', 128, {
        parallelism: after === wide ? 2 : 1,
        settledPhases: kept?.twoPhases ?? {},
      });
      expect(phaseIn(again)).toEqual(phaseIn(before));
      expect(planToKeep(overtaken, again)).toBe(null);
      expect(planRestore(overtaken, again, from).mapping.lost).not.toContain('totals');
    }
  });

  it('refuses records that were added up for a second phase which there is none of', () => {
    const manifest = manifestOf(planOf('totals'));
    const name = inFlightName({ input: 0, to: 0, stage: 'received' });
    const underWay = { ...piece, uid: 'totals', name, keyGroup: NO_KEY_GROUP, subtask: 0 };
    const overtaken = { ...manifest, pieces: [...manifest.pieces, underWay] };
    const plan = planOf('totals', 128, {
      preAggregate: false,
      settledPhases: { totals: true },
    });
    const error = failureOf(() => planRestore(overtaken, plan, from));
    expect(error.code).toBe('STATE_NOT_RESTORED');
    expect(error.message).toContain('on their way to "totals" that were added up');
    expect(error.advice).toContain('savepoint');
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
