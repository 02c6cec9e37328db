/**
 * Checkpoints that were written when their format was new have to be read by every version since. They are never written
 * again; `scripts/write-checkpoint-fixtures.mjs` writes those of a new format.
 */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { contentsOf, savepointOfEveryState } from '../fixtures/every-state.mjs';

const fixtures = fileURLToPath(new URL('../fixtures/checkpoints/', import.meta.url));
const versions = readdirSync(fixtures);
const snapshots = versions.flatMap((version) =>
  ['savepoint', 'checkpoints'].map((kind) => ({ version, kind })),
);
/** They were taken at two. */
const widths = snapshots.flatMap((snapshot) =>
  [1, 2, 3].map((parallelism) => ({ ...snapshot, parallelism })),
);
/** Records of each split that were read, and those that are read in the end. */
const [BEGUN, LIMIT] = [20, 30];

interface Contents {
  readonly operators: readonly {
    readonly uid: string;
    readonly states: readonly { readonly name: string; readonly entries: readonly unknown[] }[];
  }[];
}

describe('checkpoints of earlier versions', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-fixtures-'));
  });

  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it('there are some', () => expect(versions).toContain('1'));

  it.each(snapshots)('$kind of format $version holds what was written', ({ version, kind }) => {
    const path = join(fixtures, version, kind);
    const written: unknown = JSON.parse(readFileSync(`${path}.json`, 'utf8'));
    expect(contentsOf(path)).toEqual(written);
  });

  it.each(widths)(
    'a job goes on from the $kind of format $version at a parallelism of $parallelism',
    async ({ version, kind, parallelism }) => {
      // What is restored is claimed, so a copy is.
      cpSync(join(fixtures, version, kind), join(directory, 'from'), { recursive: true });
      const from = join(directory, kind === 'savepoint' ? 'from' : `from/${newest(directory)}`);
      const params = { out: null };
      const how = { from, begun: BEGUN, params, parallelism };
      const on = await savepointOfEveryState(directory, LIMIT, how);
      const whole = await savepointOfEveryState(directory, LIMIT, { params });
      const [gone, fresh] = [on, whole].map((path) => stateIn(contentsOf(path ?? '') as Contents));
      expect(gone?.size).toBeGreaterThan(10);
      expect(gone).toEqual(fresh);
    },
  );
});

function newest(directory: string): string {
  return readdirSync(join(directory, 'from')).find((name) => name.startsWith('chk-')) ?? '';
}

/** States that depend neither on the order in which two splits are read nor on restores, as union lists do. */
const ORDERLESS = new Set([
  'keeper/isKnown',
  'keeper/title',
  'keeper/total',
  'keeper/mean',
  'keeper/timers.event',
  'keeper/timers.processing',
  'keeper/seen',
  'aggregate/accumulators',
  'aggregate/distinct.days',
  'by-two/accumulators',
  'distinct-bca8df79/seen',
  'top/ranked',
  'broadcast/rules',
]);

function stateIn({ operators }: Contents): ReadonlyMap<string, readonly unknown[]> {
  return new Map(
    operators
      .flatMap(({ uid, states }) =>
        states.map(({ name, entries }) => [`${uid}/${name}`, entries] as const),
      )
      .filter(([name]) => ORDERLESS.has(name)),
  );
}
