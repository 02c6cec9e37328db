import { describe, expect, it } from 'vitest';
import { RunMetrics } from '../../../src/metrics/run-metrics.js';
import { metricGroup } from '../../../src/metrics/user-metrics.js';
import { headerWords } from '../../../src/ring/ring-header.js';
import { silentWaker } from '../../../src/ring/parker.js';
import { openRingReader, openRingWriter } from '../../../src/ring/spsc-ring.js';
import { ControlMemory } from '../../../src/runtime/control-layout.js';
import { deploy } from '../../../src/runtime/deploy.js';
import type { Deployment } from '../../../src/runtime/deployment.js';
import { clearRegion } from '../../../src/runtime/region-memory.js';
import { NOTHING_KEPT } from '../../../src/runtime/plan-options.js';
import { resolveSettings } from '../../../src/runtime/settings.js';
import { planOf, sink, source } from '../graph/graph-fixtures.js';

const plan = planOf(
  (flow) => {
    for (const uid of ['a', 'b']) {
      flow
        .from(source(), { uid })
        .rebalance()
        .map((row) => row)
        .to(sink());
    }
  },
  { parallelism: 2 },
);

/** Laid out, then used by every subtask. */
function layOut(isUsed: boolean): Deployment {
  const deployment = deploy(plan, {
    jobName: plan.jobName,
    attempt: 'a',
    moduleUrl: null,
    params: {},
    planHash: plan.hash,
    parallelism: 2,
    kept: NOTHING_KEPT,
    baseDirectory: '/',
    settings: resolveSettings([]),
    seed: 1,
    sourcePlans: [],
    sinkPlans: [],
    checkpointing: null,
    restore: null,
  });
  if (!isUsed) return deployment;
  const { ringMemory, rings, channels, metrics, userMetrics } = deployment;
  for (const { memory, byteOffset, byteLength } of rings) {
    const writer = openRingWriter(ringMemory[memory], byteOffset, byteLength, silentWaker);
    openRingReader(ringMemory[memory], byteOffset, byteLength, silentWaker);
    writer.claim(24);
    writer.commit(1, 24);
  }
  const control = new ControlMemory(deployment.control, plan.vertices.length);
  const counters = new RunMetrics(metrics, plan, channels.length);
  for (const { id, parallelism } of plan.vertices) {
    control.nextSplit(id)[0] = 7;
    control.loopWords(id).fill(5);
    for (let subtask = 0; subtask < parallelism; subtask++) {
      counters.task(id, subtask).addRowsIn(9);
      const { bytesEach, size } = userMetrics;
      const place = { memory: userMetrics.memory[id], byteOffset: subtask * bytesEach, size };
      metricGroup({ place: { ...place, registry: null }, owner: 0 })
        .counter('n')
        .increment();
    }
  }
  return deployment;
}

/** Everything that a run writes, by vertex. */
function contentOf(deployment: Deployment): readonly unknown[] {
  const { ringMemory, rings, channels, metrics, userMetrics } = deployment;
  const control = new ControlMemory(deployment.control, plan.vertices.length);
  const numbers = new RunMetrics(metrics, plan, channels.length);
  return plan.vertices.map(({ id }) => ({
    rings: rings
      .filter(({ edge }) => plan.edges[edge].from === id)
      .map(({ memory, byteOffset }) => [...headerWords(ringMemory[memory], byteOffset)]),
    control: [...control.nextSplit(id), ...control.loopWords(id)],
    metrics: [0, 1].map((subtask) => {
      const block = new Uint8Array(metrics, numbers.taskIndex(id, subtask) * 384, 384);
      // Which operator runs is written when the block is opened.
      return block.slice(8).reduce((sum, byte) => sum + byte, 0);
    }),
    user: [...new Int32Array(userMetrics.memory[id])].filter((word) => word !== 0).length,
  }));
}

describe('the shared memory of a region', () => {
  it('is as it was before the region began, and that of others stays as it is', () => {
    const [fresh, used] = [contentOf(layOut(false)), contentOf(layOut(true))];
    for (let vertex = 0; vertex < plan.vertices.length; vertex++) {
      expect(used[vertex]).not.toEqual(fresh[vertex]);
    }
    const deployment = layOut(true);
    clearRegion(plan, deployment, [0, 1]);
    expect(contentOf(deployment)).toEqual([...fresh.slice(0, 2), ...used.slice(2)]);
  });
});
