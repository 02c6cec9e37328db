/** Jobs whose checkpoints overtake what is under way, in threads: nothing is lost, repeated or out of order. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CheckpointReport, type JobExecution, start } from 'millrace';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import overtaken from '../fixtures/jobs/overtaken.mjs';

const KEYS = 23;
const PER_KEY = 120;

describe('checkpoints that overtake records', () => {
  let directory: string;
  let params: Record<string, unknown>;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-overtaking-'));
    for (const name of ['marks', 'out']) mkdirSync(join(directory, name));
    const lines: string[] = [];
    for (let number = 1; number <= PER_KEY; number++) {
      for (let key = 0; key < KEYS; key++) lines.push(JSON.stringify({ key, number }));
    }
    writeFileSync(join(directory, 'in.ndjson'), `${lines.join('\n')}\n`);
    params = {
      input: join(directory, 'in.ndjson'),
      output: join(directory, 'out'),
      marks: join(directory, 'marks'),
      pauseEvery: 40,
      text: 'x'.repeat(200),
    };
  });

  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  function begin(
    parallelism: number,
    more: Record<string, unknown>,
    settings: Record<string, unknown> = {},
  ): Promise<JobExecution> {
    return start(overtaken, {
      params: { ...params, ...more },
      parallelism,
      baseDirectory: directory,
      settings: {
        runtime: 'threads',
        'exchange.batchRows': 16,
        'slot.memory': '64mb',
        'execution.checkpointing.interval': '10ms',
        'execution.checkpointing.dir': 'checkpoints',
        'execution.checkpointing.unaligned.enabled': true,
        'execution.stateRecovery.path': 'latest',
        'execution.checkpointing.externalizedCheckpointRetention': 'retainOnCancellation',
        'restartStrategy.type': 'fixedDelay',
        'restartStrategy.fixedDelay.attempts': 100,
        'restartStrategy.fixedDelay.delay': '1ms',
        ...settings,
      },
    });
  }

  /** Each number of each key came once, and in its order through both functions. */
  function checkOutput(): void {
    const rows = readdirSync(join(directory, 'out'))
      .filter((name) => name.endsWith('.csv'))
      .flatMap((name) =>
        readFileSync(join(directory, 'out', name), 'utf8')
          .trim()
          .split('\n'),
      )
      .filter((line) => /^\d/.test(line))
      .map((line) => line.split(',').map(Number));
    const wrong = rows.filter(([, number, ...counted]) => counted.some((one) => one !== number));
    expect(wrong).toEqual([]);
    expect(rows.length).toBe(KEYS * PER_KEY);
    expect(new Set(rows.map(([key, number]) => `${key}/${number}`)).size).toBe(KEYS * PER_KEY);
  }

  async function completedOf(execution: JobExecution): Promise<readonly CheckpointReport[]> {
    const reports: CheckpointReport[] = [];
    for await (const event of execution.events()) {
      if (event.type === 'checkpoint' && event.report.status === 'completed') {
        reports.push(event.report);
      }
    }
    return reports;
  }

  it.each([
    { parallelism: 2, timeout: 0, incremental: false },
    { parallelism: 3, timeout: 10, incremental: true },
  ])('over failures (%o)', async ({ parallelism, timeout, incremental }) => {
    const execution = await begin(
      parallelism,
      { failEvery: 150, failures: 5 },
      {
        'execution.checkpointing.alignedCheckpointTimeout': timeout,
        'execution.checkpointing.incremental': incremental,
      },
    );
    const [reports] = await Promise.all([completedOf(execution), execution.finished]);
    expect(execution.restarts).toBeGreaterThan(2);
    expect(reports.some(({ inFlightBytes }) => inFlightBytes > 0)).toBe(true);
    checkOutput();
  });

  it('at one parallelism after the other', async () => {
    for (const parallelism of [2, 4, 1]) {
      const execution = await begin(parallelism, {});
      for await (const event of execution.events()) {
        if (event.type === 'checkpoint' && event.report.inFlightBytes > 0) {
          if (event.report.status === 'completed') execution.cancel();
        }
      }
      await execution.finished.catch(() => {});
    }
    const last = await begin(3, {});
    await last.finished;
    checkOutput();
  });
});
