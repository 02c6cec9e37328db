import { describe, expect, it } from 'vitest';
import { job } from '../../../src/api/job.js';
import { MillraceError } from '../../../src/base/errors.js';
import { defineSource } from '../../../src/connector/custom/define-source.js';
import { discard } from '../../../src/connector/discard/discard.js';
import { planJob } from '../../../src/graph/plan.js';
import type { PhysicalPlan } from '../../../src/graph/physical-plan.js';
import { openRingReader, openRingWriter } from '../../../src/ring/spsc-ring.js';
import { silentWaker } from '../../../src/ring/parker.js';
import { deploy } from '../../../src/runtime/deploy.js';
import type { Deployment } from '../../../src/runtime/deployment.js';
import { resolveSettings } from '../../../src/runtime/settings.js';
import { NOTHING_KEPT } from '../../../src/runtime/plan-options.js';

const MIB = 1024 ** 2;

/** A source that deals to so many subtasks in turn. */
function planOf(parallelism: number, edges = 1): PhysicalPlan {
  const definition = job('deployed', (flow) => {
    const numbers = defineSource<{ v: number }>({ name: 'n', maxParallelism: 99, read: () => [] });
    let stream = flow.from(numbers);
    for (let edge = 0; edge < edges; edge++) stream = stream.rebalance().map((r) => r);
    stream.to(discard());
  });
  return planJob(definition.build({}), { parallelism });
}

function layOut(plan: PhysicalPlan, values: Record<string, unknown> = {}): Deployment {
  return deploy(plan, {
    jobName: plan.jobName,
    attempt: 'a',
    moduleUrl: null,
    params: {},
    planHash: plan.hash,
    parallelism: 1,
    kept: NOTHING_KEPT,
    baseDirectory: '/',
    settings: resolveSettings([{ origin: 'a test', values }]),
    seed: 1,
    sourcePlans: [],
    sinkPlans: [],
    checkpointing: null,
    restore: null,
  });
}

function failureOf(action: () => unknown): MillraceError {
  try {
    action();
  } catch (error) {
    if (MillraceError.is(error)) return error;
    throw error;
  }
  throw new Error('It was accepted.');
}

describe('deploy', () => {
  it('divides the network share of the receiving slot among its rings', () => {
    const deployment = layOut(planOf(5), { 'slot.memory': '64mb' });
    // A subtask hands over to the one in its own slot without a ring.
    expect(deployment.channels.length).toBe(25);
    expect(deployment.rings.length).toBe(20);
    for (const { from, to } of deployment.rings) expect(from).not.toBe(to);
    // An eighth of 64 MB among the four rings into each slot.
    for (const ring of deployment.rings) expect(ring.byteLength).toBe(2 * MIB);
  });

  it('keeps rings between 64 KB and 4 MB', () => {
    const sizesOf = (values: Record<string, unknown>): number[] => [
      ...new Set(layOut(planOf(5), values).rings.map((ring) => ring.byteLength)),
    ];
    expect(sizesOf({ 'slot.memory': '4gb' })).toEqual([4 * MIB]);
    const least = { 'slot.memory': '32mb', 'slot.networkFraction': 0.01 };
    expect(sizesOf(least).every((bytes) => bytes >= 64 * 1024 && bytes < 90 * 1024)).toBe(true);
  });

  it('refuses a plan whose rings do not fit, naming what to raise and to what', () => {
    const values = { 'slot.memory': '32mb', 'slot.networkFraction': 0.01 };
    const error = failureOf(() => layOut(planOf(8), values));
    expect(error.code).toBe('MEMORY_BUDGET_TOO_SMALL');
    expect(error.advice).toContain('slot.networkFraction');
    const [, wanted] = /slot\.memory to (\d+mb)/.exec(error.advice ?? '') ?? [];
    expect(() => layOut(planOf(8), { ...values, 'slot.memory': wanted })).not.toThrow();
  });

  it('places rings that can be opened and do not touch', () => {
    const deployment = layOut(planOf(3, 2), { 'slot.memory': '32mb' });
    const seen = new Set<string>();
    for (const { memory, byteOffset, byteLength, edge, from, to } of deployment.rings) {
      const buffer = deployment.ringMemory[memory];
      const writer = openRingWriter(buffer, byteOffset, byteLength, silentWaker);
      openRingReader(buffer, byteOffset, byteLength, silentWaker);
      writer.memory.fill(edge + from + to);
      seen.add(`${edge} ${from} ${to}`);
    }
    expect(seen.size).toBe(deployment.rings.length);
    for (const { memory, byteOffset, byteLength, edge, from, to } of deployment.rings) {
      const bytes = new Uint8Array(deployment.ringMemory[memory], byteOffset, byteLength);
      expect(bytes.subarray(1024).every((byte) => byte === edge + from + to)).toBe(true);
    }
  });

  it('bounds a message at one gigabyte, also in slots of many', () => {
    const deployment = layOut(planOf(2), {
      'slot.memory': '64gb',
      'slot.networkFraction': 0.5,
    });
    expect(deployment.rings.length).toBe(2);
  });
});
