import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

interface Held {
  readonly threads: number;
  readonly files: number;
  readonly resources: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
  readonly bufferBytes: number;
}

const MB = 1e6;

describe('jobs that are started and ended many times in one process', () => {
  // More by `node --expose-gc test/fixtures/run-many.mjs 300`.
  it('leave no thread, file or handle, and memory stays where it was', async () => {
    const script = fileURLToPath(new URL('../fixtures/run-many.mjs', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', script, '60']);
    const { before, after } = JSON.parse(stdout) as { before: Held; after: Held };
    expect(after.threads).toBe(before.threads);
    expect(after.files).toBe(before.files);
    expect(after.resources).toBe(before.resources);
    expect(after.heapBytes - before.heapBytes).toBeLessThan(2 * MB);
    expect(after.bufferBytes - before.bufferBytes).toBeLessThan(20 * MB);
    // What ended threads have freed comes back to the system in its own time, so this bound is wide.
    expect(after.rssBytes - before.rssBytes).toBeLessThan(150 * MB);
  });
});
