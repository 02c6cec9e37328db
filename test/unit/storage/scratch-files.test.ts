import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeDisk } from '../../../src/base/node-disk.js';
import { ScratchFiles } from '../../../src/storage/scratch-files.js';
import { SimDisk } from '../../simulation/sim-disk.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-scratch-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

function textOf(files: ScratchFiles, name: string): string {
  const file = files.openRead(name);
  const target = new Uint8Array(file.bytes());
  file.read(target, 0, target.length, 0);
  file.close();
  return new TextDecoder().decode(target);
}

describe('ScratchFiles', () => {
  it.each([
    ['the disk of the machine', () => nodeDisk],
    ['a simulated disk', () => new SimDisk()],
  ])('are written and read on %s, without a name there', (_, open) => {
    const directory = join(folder, 'not', 'there', 'yet');
    const files = new ScratchFiles(open(), directory);
    for (const name of ['a', 'b']) {
      const file = files.createNew(name);
      file.write(bytesOf(`first of ${name}`));
      file.close();
    }
    expect(textOf(files, 'a')).toBe('first of a');
    expect(textOf(files, 'b')).toBe('first of b');
    expect(nodeDisk.list(directory)).toEqual([]);
    files.remove('a');
    files.remove('a');
    expect(() => files.openRead('a')).toThrow(expect.objectContaining({ code: 'FILE_NOT_FOUND' }));
    files.close();
    expect(() => files.openRead('b')).toThrow(expect.objectContaining({ code: 'FILE_NOT_FOUND' }));
  });

  it('say where there was no room, and what to do', () => {
    const disk = new SimDisk();
    disk.capacity = 4;
    const files = new ScratchFiles(disk, '/tmp');
    const file = files.createNew('a');
    expect(() => file.write(bytesOf('too long'))).toThrow(
      expect.objectContaining({
        code: 'FILE_UNWRITABLE',
        message: expect.stringMatching(/^What does not fit .* \/tmp: .*ENOSPC/),
        where: { file: '/tmp' },
        advice: expect.stringContaining('state.localDir'),
      }),
    );
    files.close();
    expect(disk.scratch.size).toBe(0);
  });

  it('say that there is no directory to write to', () => {
    writeFileSync(join(folder, 'file'), '');
    const files = new ScratchFiles(nodeDisk, join(folder, 'file', 'inside'));
    expect(() => files.createNew('a')).toThrow(
      expect.objectContaining({ code: 'FILE_UNWRITABLE' }),
    );
  });
});
