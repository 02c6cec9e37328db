import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeDisk } from '../../../src/base/node-disk.js';
import { lockData } from '../../../src/server/data-lock.js';

/** Above what any system gives. */
const NO_PID = 2 ** 30;

describe('lockData', () => {
  let data: string;
  beforeEach(() => {
    data = mkdtempSync(join(tmpdir(), 'millrace-lock-'));
  });
  afterEach(() => rmSync(data, { recursive: true, force: true }));

  it('lets one have the directory', () => {
    const unlock = lockData(nodeDisk, data);
    expect(() => lockData(nodeDisk, data)).toThrow(
      expect.objectContaining({ code: 'SERVER_RUNNING' }),
    );
    unlock();
    lockData(nodeDisk, data)();
    expect(readdirSync(data)).toEqual([]);
  });

  it('takes over from one that is gone', () => {
    writeFileSync(join(data, 'server.lock'), `${NO_PID}  x`);
    const unlock = lockData(nodeDisk, data);
    expect(readdirSync(data)).toEqual(['server.lock']);
    unlock();
  });

  it('leaves the lock of another alone', () => {
    const unlock = lockData(nodeDisk, data);
    writeFileSync(join(data, 'server.lock'), 'of another');
    unlock();
    expect(existsSync(join(data, 'server.lock'))).toBe(true);
  });
});
