import { run } from 'millrace';
import { describe, expect, it } from 'vitest';
import { aggregates, graph, others, results, widening } from '../fixtures/jobs/differential.mjs';
import { canonical } from '../simulation/sim-records.js';

type Definition = typeof aggregates;

interface Way {
  readonly runtime: 'threads' | 'in-thread';
  readonly parallelism: number;
  readonly batchRows: number;
  readonly preAggregateKeys: number;
}

/** Ways to run a job that differ in everything that must not matter. */
const WAYS: readonly Way[] = [
  { runtime: 'in-thread', parallelism: 3, batchRows: 1024, preAggregateKeys: 0 },
  { runtime: 'threads', parallelism: 1, batchRows: 1024, preAggregateKeys: 16384 },
  { runtime: 'threads', parallelism: 2, batchRows: 1, preAggregateKeys: 16384 },
  { runtime: 'threads', parallelism: 2, batchRows: 1024, preAggregateKeys: 0 },
  { runtime: 'threads', parallelism: 3, batchRows: 1024, preAggregateKeys: 100 },
  { runtime: 'threads', parallelism: 3, batchRows: 7, preAggregateKeys: 0 },
];

const BASE: Way = { runtime: 'in-thread', parallelism: 1, batchRows: 1024, preAggregateKeys: 0 };

async function answersOf(
  definition: Definition,
  way: Way,
): Promise<readonly (readonly string[])[]> {
  const { runtime, parallelism, batchRows, preAggregateKeys } = way;
  await run(definition, {
    runtime,
    parallelism,
    params: { rows: batchRows === 1 ? 4000 : 12_000 },
    settings: {
      'exchange.batchRows': batchRows,
      'aggregate.preAggregateKeys': preAggregateKeys,
    },
  });
  return [results.rows, others.rows].map((rows) => rows.map(canonical).sort());
}

describe.each([
  ['aggregates', aggregates],
  ['graph', graph],
  ['widening', widening],
] as const)('the job %s gives the same', (_, definition) => {
  it.each(WAYS)(
    '$runtime, $parallelism subtasks, $batchRows rows, $preAggregateKeys keys',
    async (way) => {
      const { batchRows } = way;
      const expected = await answersOf(definition, { ...BASE, batchRows });
      const answers = await answersOf(definition, way);
      expect(answers[0].length + answers[1].length).toBeGreaterThan(50);
      expect(answers).toEqual(expected);
    },
  );
});
