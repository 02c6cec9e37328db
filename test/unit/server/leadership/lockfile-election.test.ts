import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeDisk } from '../../../../src/base/node-disk.js';
import { observedTerm } from '../../../../src/server/leadership/data-fence.js';
import type { Candidate, Term } from '../../../../src/server/leadership/election.js';
import { LockfileElection } from '../../../../src/server/leadership/lockfile-election.js';
import { identityOf, type ProcessIdentity } from '../../../../src/server/process-table.js';

/** Above what any system gives. */
const NO_PID = 2 ** 30;
const TIMEOUT_MS = 300;

describe('LockfileElection', () => {
  let data: string;
  const elections: LockfileElection[] = [];
  const terms: Term[] = [];

  beforeEach(() => {
    data = mkdtempSync(join(tmpdir(), 'millrace-election-'));
  });
  afterEach(async () => {
    await Promise.all(elections.splice(0).map((one) => one.close()));
    await Promise.all(terms.splice(0).map((one) => one.resign()));
    rmSync(data, { recursive: true, force: true });
  });

  const own = (): ProcessIdentity => identityOf(nodeDisk, process.pid);
  const self = (url: string, process = own()): Candidate => ({ url, process });

  function stand(
    url: string,
    { standsBy = true, timeoutMs = TIMEOUT_MS, process = own() } = {},
  ): { readonly election: LockfileElection; readonly term: Promise<Term | null> } {
    const election = new LockfileElection({
      disk: nodeDisk,
      dataDirectory: data,
      timeoutMs,
      standsBy,
    });
    elections.push(election);
    const term = election.lead(self(url, process)).then((led) => {
      if (led !== null) terms.push(led);
      return led;
    });
    term.catch(() => {});
    return { election, term };
  }

  /** What another server, which shows no sign of life, has left. */
  function leave(process: Partial<ProcessIdentity>, epoch = 1): void {
    const directory = join(data, 'leader', `epoch-${epoch}`);
    mkdirSync(directory, { recursive: true });
    const leader = self('http://other', { ...own(), ...process });
    writeFileSync(join(directory, 'owner'), JSON.stringify(leader));
    writeFileSync(join(directory, 'beat-7'), '');
  }

  it('has one leader of many that stand, and another when that one resigns', async () => {
    const candidates = Array.from({ length: 5 }, (_, number) => stand(`http://${number}`));
    const first = await Promise.race(candidates.map(({ term }) => term));
    expect(first?.fence.epoch).toBe(1);
    await expect.poll(() => new Set(elections.map(({ leader }) => leader?.url)).size).toBe(1);
    expect(terms).toHaveLength(1);
    await first?.resign();
    await expect.poll(() => terms.length).toBe(2);
    expect(terms[1]?.fence.epoch).toBe(2);
  });

  it('refuses at once where nobody is to stand by', async () => {
    await stand('http://a').term;
    await expect(stand('http://b', { standsBy: false }).term).rejects.toMatchObject({
      code: 'SERVER_RUNNING',
      message: expect.stringContaining('http://a'),
    });
  });

  it('takes over at once from a process that is gone, or whose id another has now', async () => {
    for (const [epoch, left] of [
      [1, { pid: NO_PID }],
      [3, { start: '1' }],
    ] as const) {
      leave(left, epoch);
      const term = await stand('http://a', { standsBy: false, timeoutMs: 600_000 }).term;
      expect(term?.fence.epoch).toBe(epoch + 1);
      expect(readdirSync(join(data, 'leader'))).toEqual([`epoch-${epoch + 1}`]);
      await term?.resign();
    }
  });

  it('takes over from one that is stopped, which then can change nothing', async () => {
    // It is there, and does nothing.
    const stopped = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    try {
      leave({ ...identityOf(nodeDisk, stopped.pid ?? 0) });
      await expect(stand('http://b', { standsBy: false }).term).rejects.toMatchObject({
        code: 'SERVER_RUNNING',
      });
      const term = await stand('http://a').term;
      expect(term?.fence.epoch).toBe(2);
    } finally {
      stopped.kill('SIGKILL');
    }
  });

  it('waits for signs of life of a server on another machine', async () => {
    leave({ host: 'elsewhere', pid: NO_PID });
    const term = await stand('http://a', { standsBy: false }).term;
    expect(term?.fence.epoch).toBe(2);
    // This one lives: beats come, and whoever stands by goes on waiting.
    const { election } = stand('http://b');
    await expect.poll(() => election.leader?.url).toBe('http://a');
    const before = observedTerm(nodeDisk, data).signOfLife;
    await expect.poll(() => observedTerm(nodeDisk, data).signOfLife).not.toBe(before);
    expect(terms).toHaveLength(1);
  });

  it('tells a leader that was replaced, at its next sign of life and whatever it writes', async () => {
    const term = await stand('http://a', { timeoutMs: 600_000 }).term;
    leave({ host: 'elsewhere' }, 5);
    rmSync(join(data, 'leader', 'epoch-1'), { recursive: true });
    const lost = { code: 'LEADERSHIP_LOST', message: expect.stringContaining('http://other') };
    expect(() => term?.fence.guarded(() => {})).toThrow(expect.objectContaining(lost));
    expect(await term?.lost).toMatchObject(lost);
  });

  it('takes over from one that was killed while it took over', async () => {
    mkdirSync(join(data, 'leader', 'epoch-4'), { recursive: true });
    expect((await stand('http://a').term)?.fence.epoch).toBe(5);
    await elections.splice(0)[0]?.close();
    await terms.splice(0)[0]?.resign();
    mkdirSync(join(data, 'leader', 'epoch-9'), { recursive: true });
    writeFileSync(join(data, 'leader', 'epoch-9', 'owner'), '{"url":');
    expect((await stand('http://b').term)?.fence.epoch).toBe(10);
  });
});
