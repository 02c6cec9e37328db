/** Sorting and grouping more than fits in the memory of a slot. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  col,
  collectSink,
  count,
  datagen,
  integers,
  job,
  max,
  randomText,
  run,
  sequence,
} from '../../src/index.js';

/** Some 30 MB of records, of which 12 MB fit. */
const ROWS = 300_000;
const SETTINGS = { runtime: 'in-thread', parallelism: 1, slot: { memory: '32mb' } } as const;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-sort-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const settings = (localDir: string) => ({ ...SETTINGS, settings: { 'state.localDir': localDir } });

/** Sorts records and counts those that do not follow the one before; `failAt` fails at the record of that number. */
function sorting(rows: number, failAt = -1) {
  const wrong = collectSink<{ readonly at: number }>();
  let seen = 0;
  let last = { n: Number.NEGATIVE_INFINITY, id: -1 };
  const definition = job('sorting', (flow) => {
    flow
      .from(
        datagen({
          rows,
          seed: 7,
          fields: { id: sequence(), n: integers(1, rows / 3), text: randomText(60) },
        }),
      )
      .sortBy('n')
      .flatMap(({ id, n, text }) => {
        if (seen++ === failAt) throw new Error('as it should');
        const follows = n > last.n || (n === last.n && id > last.id);
        last = { n, id };
        return follows && text.length === 60 ? [] : [{ at: seen }];
      })
      .to(wrong);
  });
  return { definition, wrong, seen: () => seen };
}

describe('a sort of more than the memory of its slot', () => {
  it('gives all records in order, and leaves nothing behind', async () => {
    const { definition, wrong, seen } = sorting(ROWS);
    await run(definition, settings(folder));
    expect(seen()).toBe(ROWS);
    expect(wrong.rows).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('leaves nothing behind when the job fails', async () => {
    const { definition } = sorting(ROWS, 1000);
    await expect(run(definition, settings(folder))).rejects.toMatchObject({
      code: 'USER_FUNCTION_FAILED',
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('needs the directory for what does not fit only, and names it when it cannot be written', async () => {
    writeFileSync(join(folder, 'file'), '');
    const localDir = join(folder, 'file', 'inside');
    const small = sorting(3000);
    await run(small.definition, settings(localDir));
    expect(small.seen()).toBe(3000);
    await expect(run(sorting(ROWS).definition, settings(localDir))).rejects.toMatchObject({
      code: 'FILE_UNWRITABLE',
      message: expect.stringContaining(localDir),
      where: { operator: 'sortBy' },
    });
  });
});

/** Every number from 0 on comes three times, far apart; how many times they came is counted, and checked. */
const KEYS = 500_000;

function counting() {
  const wrong = collectSink();
  const seen = new Uint8Array(KEYS);
  const definition = job('counting', (flow) => {
    flow
      .from(datagen({ rows: 3 * KEYS, fields: { id: sequence() } }))
      .select({ key: col('id').mod(KEYS), id: 'id' })
      .keyBy('key')
      .aggregate({ times: count(), last: max('id') })
      .flatMap(({ key, times, last }) => {
        const isRight = times === 3 && last === key + 2 * KEYS && seen[key] === 0;
        seen[key] = 1;
        return isRight ? [] : [{ key, times, last }];
      })
      .to(wrong);
  });
  return { definition, wrong, seen: () => seen.reduce((sum, each) => sum + each, 0) };
}

describe('an aggregation of more keys than fit in the memory of its slot', () => {
  it('gives one exact result for each, and leaves nothing behind', async () => {
    const { definition, wrong, seen } = counting();
    await run(definition, settings(folder));
    expect(wrong.rows).toEqual([]);
    expect(seen()).toBe(KEYS);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('names the directory that cannot be written', async () => {
    writeFileSync(join(folder, 'file'), '');
    const localDir = join(folder, 'file', 'inside');
    await expect(run(counting().definition, settings(localDir))).rejects.toMatchObject({
      code: 'FILE_UNWRITABLE',
      message: expect.stringContaining(localDir),
    });
  });

  it('fails by name where checkpoints are taken, which do not know what waits on disk', async () => {
    const running = run(counting().definition, {
      ...SETTINGS,
      settings: { 'execution.checkpointing.interval': '1h', 'restartStrategy.type': 'none' },
    });
    await expect(running).rejects.toMatchObject({ code: 'MEMORY_EXHAUSTED' });
  });
});
