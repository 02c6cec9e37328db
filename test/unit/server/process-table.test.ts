import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { nodeDisk } from '../../../src/base/node-disk.js';
import { isRunning, startOf } from '../../../src/server/process-table.js';

const parents: { kill(): unknown }[] = [];
afterEach(() => {
  for (const parent of parents.splice(0)) parent.kill();
});

/** The id of a process that has ended, and whose parent never asks for its end. */
async function endedPid(): Promise<number> {
  // The shell becomes a program that knows of no child.
  const parent = spawn('sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 1000']);
  parents.push(parent);
  const printed = await new Promise<string>((resolve) => {
    parent.stdout.once('data', (bytes) => resolve(String(bytes)));
  });
  return Number(printed);
}

describe('the table of processes', () => {
  it('knows this one, and none of an id that nobody has', () => {
    expect(isRunning(nodeDisk, process.pid, startOf(nodeDisk, process.pid))).toBe(true);
    expect(isRunning(nodeDisk, process.pid, '')).toBe(true);
    expect(isRunning(nodeDisk, 2 ** 30, '')).toBe(false);
    expect(isRunning(nodeDisk, -1, '')).toBe(false);
  });

  it('tells one that was started at another time, and one that has ended but keeps its id', async () => {
    // Where the system shows no table, only the id is known.
    const hasTable = existsSync('/proc/self/stat');
    expect(isRunning(nodeDisk, process.pid, '1')).toBe(!hasTable);
    if (!hasTable) return;
    const pid = await endedPid();
    const start = startOf(nodeDisk, pid);
    expect(start).toMatch(/^\d+$/);
    await expect.poll(() => isRunning(nodeDisk, pid, start)).toBe(false);
    expect(startOf(nodeDisk, pid)).toBe(start);
  });
});
