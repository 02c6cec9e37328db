import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MillraceError, start } from 'millrace';
import { afterAll, describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/random.js';
import toFiles from '../fixtures/jobs/to-files.mjs';

const root = mkdtempSync(join(tmpdir(), 'millrace-cancel-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const random = new SeededRandom(Number(process.env['SEED'] ?? 7));
let directories = 0;
const freshDirectory = (): string => join(root, `run-${directories++}`);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Every file below a directory, hidden ones included; none when there is no such directory. */
function filesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

describe('a job that is ended at a random instant', () => {
  it('leaves no file when it was canceled, by call or by signal', async () => {
    for (let run = 0; run < 8; run++) {
      const directory = freshDirectory();
      const controller = new AbortController();
      const bySignal = random.below(2) === 0;
      const delayMs = run === 0 ? 0 : random.below(250);
      if (bySignal) setTimeout(() => controller.abort(), delayMs);
      const execution = await start(toFiles, {
        parallelism: 2,
        params: { directory },
        signal: controller.signal,
      });
      if (!bySignal) {
        setTimeout(() => {
          execution.cancel();
          execution.cancel();
        }, delayMs);
      }
      const error = await execution.finished.then(
        () => null,
        (thrown: unknown) => thrown,
      );
      expect(MillraceError.is(error) && error.code).toBe('JOB_CANCELED');
      expect(execution.state).toBe('CANCELED');
      expect(filesIn(directory)).toEqual([]);
    }
  });

  it('has written every row it read when it was stopped', async () => {
    for (let run = 0; run < 5; run++) {
      const directory = freshDirectory();
      const execution = await start(toFiles, { parallelism: 2, params: { directory } });
      await pause(run === 0 ? 0 : random.below(200));
      const { metrics } = await execution.stop({ drain: run % 2 === 0 });
      const files = filesIn(directory);
      expect(files.filter((name) => name.startsWith('.'))).toEqual([]);
      const ids = files.flatMap((name) =>
        readFileSync(join(directory, name), 'utf8')
          .trimEnd()
          .split('\n')
          .slice(1)
          .map((line) => Number(line.split(',')[0])),
      );
      const read = metrics.vertices.find((vertex) => vertex.isSource)?.rowsIn;
      expect(ids.length).toBe(read);
      expect(new Set(ids).size).toBe(ids.length);
    }
  });

  it('is over soon after Ctrl-C on the command line, and leaves no file', async () => {
    const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
    const module = fileURLToPath(new URL('../fixtures/jobs/to-files.mjs', import.meta.url));
    for (const delayMs of [500, 900, 1300]) {
      const directory = freshDirectory();
      const args = ['run', module, '--param', `directory=${directory}`, '--parallelism', '2'];
      const child = spawn(process.execPath, [cli, ...args], { stdio: 'ignore' });
      const ended = new Promise<string>((resolve) => {
        child.once('exit', (code, signal) => resolve(String(code ?? signal)));
      });
      await pause(delayMs);
      const startMs = performance.now();
      child.kill('SIGINT');
      expect(['130', 'SIGINT']).toContain(await ended);
      expect(performance.now() - startMs).toBeLessThan(60_000);
      expect(filesIn(directory)).toEqual([]);
    }
  });
});
