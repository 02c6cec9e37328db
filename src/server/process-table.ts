/**
 * What is known of other processes: whether one still runs, and is the one it was. Callers: the elections, the
 * dispatcher when it finds jobs of an earlier server. Runs on: the server's thread.
 */
import { hostname } from 'node:os';
import type { Disk } from '../base/disk.js';
import { MillraceError } from '../base/errors.js';

/** States of processes that are only there to be asked for their end. */
const ENDED: ReadonlySet<string> = new Set(['Z', 'X']);

/** A process, told from all that had or will have its id. */
export interface ProcessIdentity {
  readonly host: string;
  /** Names the time since the machine was started; empty where the system does not tell. */
  readonly boot: string;
  readonly pid: number;
  /** See `startOf`. */
  readonly start: string;
}

/** A process of this machine that runs now. */
export function identityOf(disk: Disk, pid: number): ProcessIdentity {
  return { host: hostname(), boot: bootOf(disk), pid, start: startOf(disk, pid) };
}

/** Whether the process is, if it still is, in the table of this machine. Containers count as machines. */
export function isOfThisMachine(disk: Disk, { host, boot }: ProcessIdentity): boolean {
  return host === hostname() && boot === bootOf(disk);
}

function bootOf(disk: Disk): string {
  return textOf(disk, '/proc/sys/kernel/random/boot_id').trim();
}

/** When a process was started, in a form that only equals itself; empty where the system does not tell. */
export function startOf(disk: Disk, pid: number): string {
  return statusOf(disk, pid)[19] ?? '';
}

/** What the system tells of a process, behind its name, which may hold anything: the state, then numbers. */
function statusOf(disk: Disk, pid: number): readonly string[] {
  const stat = textOf(disk, `/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** Whether the process runs that had this id and start. */
export function isRunning(disk: Disk, pid: number, start: string): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    const isForeign = (error as NodeJS.ErrnoException).code === 'EPERM';
    if (!isForeign) return false;
  }
  // One that has ended keeps its id until its parent asks for its end, which in a container nobody may ever do.
  if (ENDED.has(statusOf(disk, pid)[0])) return false;
  return start === '' || startOf(disk, pid) === start;
}

/** Ends the process of a job that an earlier server has left behind, if it is still there. */
export function endLeftBehind(disk: Disk, pid: number, jobId: string): void {
  // Without a table to look in, such a process has noticed by itself that its server is gone.
  if (!textOf(disk, `/proc/${pid}/cmdline`).includes(jobId)) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** A file of which the system says no length; empty when there is none. */
function textOf(disk: Disk, path: string): string {
  const buffer = new Uint8Array(4096);
  try {
    const file = disk.openRead(path);
    try {
      return Buffer.from(buffer.subarray(0, file.read(buffer, 0, buffer.length, 0))).toString();
    } finally {
      file.close();
    }
  } catch (error) {
    if (!MillraceError.is(error)) throw error;
    return '';
  }
}
