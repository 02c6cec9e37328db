import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collection, job, ndjson } from 'millrace';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeDisk } from '../../../src/base/node-disk.js';
import { planJob } from '../../../src/graph/plan.js';
import { prepareConnectors } from '../../../src/runtime/prepare-connectors.js';

describe('a job that begins anew beside what its savepoints hold', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-prepare-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it('writes no part of a name that one of theirs will have, and leaves theirs in place', async () => {
    const plan = planJob(
      job('sums', (flow) => {
        const output = ndjson<{ n: number }>(directory, { ifExists: 'append' });
        flow.from(collection([{ n: 1 }]), { uid: 'numbers' }).to(output, { uid: 'files' });
      }).build({}),
      { parallelism: 1 },
    );
    const part = { pending: '.part-00000-7.ndjson.pending-old-1', final: 'part-00000-7.ndjson' };
    writeFileSync(join(directory, part.pending), '{"n":1}\n');
    const prepared = (kept: readonly unknown[]) =>
      prepareConnectors(plan, nodeDisk, directory, null, [{ uid: 'files', committables: kept }]);
    const { sinkPlans } = await prepared([part]);
    expect(sinkPlans.flat()).toMatchObject([{ firstNumber: 8 }]);
    expect(nodeDisk.list(directory)).toEqual([part.pending]);
    const without = await prepared([]);
    expect(without.sinkPlans.flat()).toMatchObject([{ firstNumber: 0 }]);
  });
});
