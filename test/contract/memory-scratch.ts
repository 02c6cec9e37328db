/** Files without a name in memory, for tables that put entries aside. */
import type { FileHandle } from '../../src/base/disk.js';
import type { ScratchDisk } from '../../src/storage/scratch-files.js';

/** Such a disk; `open` counts the files that have not been closed. */
export class MemoryScratch implements ScratchDisk {
  open = 0;

  createScratch(): FileHandle {
    let bytes = new Uint8Array(0);
    let isOpen = true;
    this.open++;
    const check = (): void => {
      if (!isOpen) throw new Error('The file is closed.');
    };
    return {
      read: (target, offset, length, position) => {
        check();
        const part = bytes.subarray(position, position + length);
        target.set(part, offset);
        return part.length;
      },
      write: (part) => {
        check();
        const longer = new Uint8Array(bytes.length + part.length);
        longer.set(bytes);
        longer.set(part, bytes.length);
        bytes = longer;
      },
      bytes: () => bytes.length,
      sync: check,
      close: () => {
        check();
        isOpen = false;
        this.open--;
      },
    };
  }
}
