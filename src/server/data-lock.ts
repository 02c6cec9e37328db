/**
 * One server to a data directory: a file with its process id. That of a process which is gone, or whose id another
 * program has now, is taken over. Callers: `server.ts`. Runs on: the server's thread.
 */
import { join } from 'node:path';
import type { Disk } from '../base/disk.js';
import { MillraceError } from '../base/errors.js';
import { freshId } from '../base/random.js';
import { DurableFiles } from '../checkpoint/durable-files.js';
import { readContent } from '../checkpoint/file-content.js';
import { isRunning, startOf } from './process-table.js';

const LOCK = 'server.lock';

/** Takes the directory; gives what releases it. Throws SERVER_RUNNING. */
export function lockData(disk: Disk, directory: string): () => void {
  const file = join(directory, LOCK);
  const files = new DurableFiles(disk, 'always');
  files.makeDirectory(directory);
  const own = `${process.pid} ${startOf(disk, process.pid)} ${freshId()}`;
  for (;;) {
    const holder = contentOf(disk, file);
    if (holder === null) {
      if (!created(files, disk, file, own)) continue;
      return () => {
        if (contentOf(disk, file) === own) disk.remove(file);
      };
    }
    const [pid = '', start = ''] = holder.split(' ');
    if (isRunning(disk, Number(pid), start)) throw isHeld(directory, pid);
    // Of those who find it left behind, one moves it away; whoever moved that one's own brings it back.
    const aside = `${file}.${own.slice(-32)}`;
    if (!renamed(disk, file, aside)) continue;
    if (contentOf(disk, aside) !== holder) disk.rename(aside, file);
    else disk.remove(aside);
  }
}

function created(files: DurableFiles, disk: Disk, file: string, own: string): boolean {
  try {
    files.write(file, Buffer.from(own));
    return true;
  } catch (error) {
    if (!MillraceError.is(error) || disk.stat(file) === null) throw error;
    return false;
  }
}

function renamed(disk: Disk, from: string, to: string): boolean {
  try {
    disk.rename(from, to);
    return true;
  } catch (error) {
    if (!MillraceError.is(error) || disk.stat(from) !== null) throw error;
    return false;
  }
}

function contentOf(disk: Disk, file: string): string | null {
  const content = readContent(disk, file);
  return content === null ? null : Buffer.from(content).toString();
}

function isHeld(directory: string, pid: string): MillraceError {
  return new MillraceError('SERVER_RUNNING', `The server with process id ${pid} has the data.`, {
    where: { file: directory },
    advice: 'Stop it, or start this one with another --data directory.',
  });
}
