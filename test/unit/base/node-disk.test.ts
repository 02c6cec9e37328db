import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeDisk, walkFiles } from '../../../src/base/node-disk.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-disk-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Whether files without a name can be made where the tests make theirs. */
function hasNameless(): boolean {
  if (process.platform !== 'linux') return false;
  const script = 'import os, sys; os.open(sys.argv[1], os.O_TMPFILE | os.O_RDWR)';
  return spawnSync('python3', ['-c', script, folder]).status === 0;
}

describe('nodeDisk', () => {
  it('writes what is read again, at any place', () => {
    const path = join(folder, 'a');
    const file = nodeDisk.createNew(path);
    file.write(bytesOf('mill'));
    file.write(bytesOf('race'));
    file.sync();
    expect(file.bytes()).toBe(8);
    file.close();
    file.close();
    const target = new Uint8Array(6);
    const again = nodeDisk.openRead(path);
    expect(again.read(target, 1, 4, 2)).toBe(4);
    expect(again.read(target, 0, 4, 8)).toBe(0);
    again.close();
    expect(new TextDecoder().decode(target.subarray(1, 5))).toBe('llra');
  });

  it('writes to the end of a file, whoever has made it', () => {
    const path = join(folder, 'a');
    for (const text of ['mill', 'race']) {
      const file = nodeDisk.openAppend(path);
      file.write(bytesOf(text));
      file.close();
    }
    const file = nodeDisk.openAppend(path);
    expect(file.bytes()).toBe(8);
    file.close();
    expect(readFileSync(path, 'utf8')).toBe('millrace');
  });

  it('never overwrites a file of another writer', () => {
    const path = join(folder, 'a');
    writeFileSync(path, 'mine');
    expect(() => nodeDisk.createNew(path)).toThrow(
      expect.objectContaining({ code: 'FILE_UNWRITABLE', where: { file: path } }),
    );
    expect(readFileSync(path, 'utf8')).toBe('mine');
  });

  it('tells a file that is missing from one that cannot be read', () => {
    const path = join(folder, 'none');
    expect(() => nodeDisk.openRead(path)).toThrow(
      expect.objectContaining({ code: 'FILE_NOT_FOUND', where: { file: path } }),
    );
    const directory = nodeDisk.openRead(folder);
    expect(() => directory.read(new Uint8Array(1), 0, 1, 0)).toThrow(
      expect.objectContaining({ code: 'FILE_UNREADABLE' }),
    );
    directory.close();
  });

  it('describes paths, and lists directories in order', () => {
    nodeDisk.makeDirectory(join(folder, 'x/y'));
    writeFileSync(join(folder, 'x/b'), 'bb');
    writeFileSync(join(folder, 'x/a'), '');
    expect(nodeDisk.stat(join(folder, 'x/b'))).toMatchObject({ bytes: 2, isDirectory: false });
    expect(nodeDisk.stat(join(folder, 'x'))).toMatchObject({ isDirectory: true });
    expect(nodeDisk.stat(join(folder, 'none'))).toBeNull();
    expect(nodeDisk.list(join(folder, 'x'))).toEqual(['a', 'b', 'y']);
    expect(nodeDisk.list(join(folder, 'none'))).toEqual([]);
    expect(walkFiles(folder)).toEqual([join(folder, 'x/a'), join(folder, 'x/b')]);
  });

  it('makes scratch files that have no name, not even for a moment where the system can', async () => {
    const seen: string[] = [];
    const watcher = watch(folder, (_, name) => seen.push(`${name}`));
    const files = [1, 2, 3].map(() => nodeDisk.createScratch(folder));
    expect(readdirSync(folder)).toEqual([]);
    files[1]?.write(bytesOf('mill'));
    expect(files.map((file) => file.bytes())).toEqual([0, 4, 0]);
    for (const file of files) file.close();
    writeFileSync(join(folder, 'after'), '');
    await expect.poll(() => seen).toContain('after');
    watcher.close();
    // The system itself may call them by their number when they go.
    if (hasNameless()) expect(seen.filter((name) => name.startsWith('millrace'))).toEqual([]);
  });

  it('renames and removes, silent about what is gone already', () => {
    writeFileSync(join(folder, 'a'), 'text');
    nodeDisk.rename(join(folder, 'a'), join(folder, 'b'));
    nodeDisk.syncDirectory(folder);
    nodeDisk.syncFile(join(folder, 'b'));
    expect(() => nodeDisk.syncFile(join(folder, 'a'))).toThrow(
      expect.objectContaining({ code: 'FILE_NOT_FOUND' }),
    );
    expect(nodeDisk.list(folder)).toEqual(['b']);
    nodeDisk.remove(join(folder, 'b'));
    nodeDisk.remove(join(folder, 'b'));
    nodeDisk.makeDirectory(join(folder, 'x/y'));
    expect(nodeDisk.removeDirectory(join(folder, 'x'))).toBe(false);
    expect(nodeDisk.removeDirectory(join(folder, 'x/y'))).toBe(true);
    expect(nodeDisk.removeDirectory(join(folder, 'x/y'))).toBe(true);
    expect(nodeDisk.list(join(folder, 'x'))).toEqual([]);
    nodeDisk.makeDirectory(join(folder, 'x/y'));
    nodeDisk.removeTree(join(folder, 'x'));
    nodeDisk.removeTree(join(folder, 'x'));
    expect(nodeDisk.list(folder)).toEqual([]);
  });
});
