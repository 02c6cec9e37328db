import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Disk } from '../../../../src/base/disk.js';
import { nodeDisk } from '../../../../src/base/node-disk.js';
import { resolveSettings } from '../../../../src/runtime/settings.js';
import { type JobRecord, newRecord, withStatus } from '../../../../src/server/job-record.js';
import { JobStore } from '../../../../src/server/job-store.js';
import { nextFence } from '../fake-world.js';

describe('DataFence', () => {
  let directory: string;
  let module: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-fence-'));
    module = join(directory, 'module.mjs');
    writeFileSync(module, 'export {};');
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const record = (id: string): JobRecord =>
    newRecord(id, {
      bundle: 'job.mjs',
      jobName: null,
      params: {},
      settings: resolveSettings([]),
      baseDirectory: '/',
      submittedMs: 1,
    });
  const running = withStatus(record('a'), 'RUNNING', 5);

  /** The real disk, before whose call of that number, once it is armed, something else happens. */
  class InterruptedDisk {
    readonly disk: Disk;
    isArmed = false;
    #calls = 0;

    constructor(call: number, action: () => void) {
      this.disk = new Proxy(nodeDisk, {
        get: (target, name: keyof Disk) => {
          return (...words: readonly never[]) => {
            if (this.isArmed && ++this.#calls === call) action();
            return Reflect.apply(target[name], target, words);
          };
        },
      });
    }
  }

  it.each([
    ['a new job', (jobs: JobStore) => jobs.create(record('b'), module), ['a', 'b']],
    ['a change', (jobs: JobStore) => jobs.save(running), ['a RUNNING']],
    ['a removal', (jobs: JobStore) => jobs.remove('a'), []],
  ] as const)(
    'has %s seen by the next leader or refused, whenever it takes over',
    (_, act, done) => {
      const shown = (records: readonly JobRecord[]): readonly string[] =>
        records.map(({ id, status }) => (status === 'RUNNING' ? `${id} RUNNING` : id));
      let takeOvers = 0;
      for (let call = 1; takeOvers === call - 1; call++) {
        const data = join(directory, String(call));
        const storeOn = (disk: Disk): JobStore =>
          new JobStore(disk, join(data, 'jobs'), nextFence(data));
        const seen: JobRecord[][] = [];
        const interrupted = new InterruptedDisk(call, () => {
          takeOvers++;
          seen.push([...storeOn(nodeDisk).load()]);
        });
        const leader = storeOn(interrupted.disk);
        leader.create(record('a'), module);
        interrupted.isArmed = true;
        let isDone = true;
        try {
          act(leader);
        } catch (error) {
          isDone = false;
          expect(error).toMatchObject({ code: 'LEADERSHIP_LOST' });
        }
        // Nothing has changed since the next leader has looked, and it has seen what was not refused.
        const after = [...storeOn(nodeDisk).load()];
        expect(shown(after)).toEqual(shown(seen[0] ?? after));
        if (isDone) expect(shown(after)).toEqual(done);
      }
      expect(takeOvers).toBeGreaterThan(2);
    },
  );
});
