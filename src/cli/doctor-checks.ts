/**
 * What `doctor` looks at: this machine, its Node, and the installation. Callers: `doctor-command.ts`. Runs on: the main
 * thread. Invariant: a check never throws, and leaves nothing behind.
 */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { availableParallelism, cpus, freemem, tmpdir, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as zlib from 'node:zlib';
import { systemClock } from '../base/clock.js';
import { formatBytes } from '../base/units.js';
import { entryFile, type EntryName, entryUrl } from '../runtime/entry-url.js';
import { checkThreads } from '../runtime/thread-check.js';

/** One finding. */
export interface Check {
  readonly name: string;
  /** 'problem' keeps jobs from running; 'note' is worth knowing. */
  readonly state: 'ok' | 'note' | 'problem';
  readonly text: string;
  /** What to do about it. */
  readonly advice?: string;
}

const NODE_MINIMUM = [20, 19] as const;
const MEMORY_MINIMUM_BYTES = 512 * 1024 ** 2;
const THREAD_START_MS_MAX = 500;
const SYNC_ROUNDS = 5;
const SYNC_MS_MAX = 50;
const OPEN_FILES_MIN = 1024;
const ENTRIES: readonly EntryName[] = ['index', 'slot', 'coordinator', 'process', 'cli'];

/** All findings, in the order in which they are read. */
export async function allChecks(directory: string): Promise<readonly Check[]> {
  return [
    nodeCheck(process.versions.node),
    processorCheck(),
    memoryCheck(freemem(), totalmem(), process.constrainedMemory()),
    sharedMemoryCheck(),
    await threadCheck(),
    limitsCheck(),
    diskCheck(directory),
    installationCheck(dirname(fileURLToPath(entryUrl('index')))),
    await packageCheck('esbuild', 'TypeScript jobs'),
    await packageCheck('lz4-napi', '.lz4 files'),
    zstdCheck(),
  ];
}

/** Whether the version of Node is one the package supports. */
export function nodeCheck(version: string): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [majorMin, minorMin] = NODE_MINIMUM;
  const text = `${version}, V8 ${process.versions.v8}, ${process.platform} ${process.arch}`;
  if (major > majorMin || (major === majorMin && minor >= minorMin)) return ok('node', text);
  const advice = `Install Node ${NODE_MINIMUM.join('.')} or newer.`;
  return { name: 'node', state: 'problem', text, advice };
}

function processorCheck(): Check {
  const model = cpus()[0]?.model.trim() ?? 'unknown model';
  return ok('cores', `${availableParallelism()} usable, ${model}`);
}

/** `limitBytes` is what a container may use; 0 or more than there is when nothing limits it. */
export function memoryCheck(freeBytes: number, totalBytes: number, limitBytes: number): Check {
  const isLimited = limitBytes > 0 && limitBytes < totalBytes;
  const limit = isLimited ? `, limited to ${formatBytes(limitBytes)} for this process` : '';
  const text = `${formatBytes(freeBytes)} free of ${formatBytes(totalBytes)}${limit}`;
  const usableBytes = isLimited ? Math.min(freeBytes, limitBytes) : freeBytes;
  if (usableBytes >= MEMORY_MINIMUM_BYTES) return ok('memory', text);
  const advice = 'A slot takes 512 MB by default: set slot.memory lower, or free some memory.';
  return { name: 'memory', state: 'note', text, advice };
}

function sharedMemoryCheck(): Check {
  const name = 'shared memory';
  const isThere = typeof SharedArrayBuffer === 'function' && 'waitAsync' in Atomics;
  if (isThere) return ok(name, 'SharedArrayBuffer and Atomics.waitAsync are there');
  const text = 'SharedArrayBuffer or Atomics.waitAsync is missing';
  return { name, state: 'problem', text, advice: 'Look for flags of Node that turn them off.' };
}

async function threadCheck(): Promise<Check> {
  const name = 'threads';
  try {
    const { startMs, totalMs } = await checkThreads();
    const [start, total] = [Math.round(startMs), Math.round(totalMs)];
    const text = `one starts in ${start} ms and has ended after ${total} ms`;
    if (startMs <= THREAD_START_MS_MAX) return ok(name, text);
    return { name, state: 'note', text, advice: 'The machine is busy or its disk is slow.' };
  } catch (error) {
    return { name, state: 'problem', text: reasonOf(error), advice: 'Raise the limit of threads.' };
  }
}

function limitsCheck(): Check {
  const name = 'limits';
  if (process.platform === 'win32') return ok(name, 'none on Windows');
  try {
    const script = 'ulimit -n; ulimit -u 2>/dev/null || echo unlimited; ulimit -v';
    const output = execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8' });
    const [files = '', tasks = '', kilobytes = ''] = output.trim().split('\n');
    const text = `open files ${files}, threads ${tasks}, address space ${kilobytes}`;
    if (Number(files) < OPEN_FILES_MIN) {
      const advice = `Jobs that read many files need more: ulimit -n ${OPEN_FILES_MIN * 4}.`;
      return { name, state: 'note', text, advice };
    }
    if (/^\d+$/.test(kilobytes)) {
      const advice = 'Rings and state are reserved at start: run ulimit -v unlimited.';
      return { name, state: 'note', text, advice };
    }
    return ok(name, text);
  } catch (error) {
    return { name, state: 'note', text: `unknown: ${reasonOf(error)}` };
  }
}

/** What a durable write costs where results go, in the temporary directory when that cannot be written. */
function diskCheck(directory: string): Check {
  const name = 'disk';
  for (const place of [directory, tmpdir()]) {
    const ms = syncMs(place);
    if (ms === null) continue;
    const text = `a durable write takes ${ms.toFixed(1)} ms in ${place}`;
    if (place !== directory) {
      const advice = 'File sinks write below the current directory: run jobs where you may write.';
      return { name, state: 'note', text: `${directory} is read-only; ${text}`, advice };
    }
    if (ms <= SYNC_MS_MAX) return ok(name, text);
    return {
      name,
      state: 'note',
      text,
      advice: 'Sinks with sync: false do not wait for the disk.',
    };
  }
  const text = `neither ${directory} nor ${tmpdir()} can be written`;
  return { name, state: 'problem', text, advice: 'Run where you may write files.' };
}

/** Milliseconds of a synced write of 4 KB; null when the directory cannot be written. */
function syncMs(directory: string): number | null {
  const path = join(directory, `.millrace-doctor-${process.pid}.tmp`);
  try {
    const file = openSync(path, 'wx');
    try {
      const startMs = systemClock.monotonicMs();
      for (let round = 0; round < SYNC_ROUNDS; round++) {
        writeSync(file, Buffer.alloc(4096));
        fsyncSync(file);
      }
      return (systemClock.monotonicMs() - startMs) / SYNC_ROUNDS;
    } finally {
      closeSync(file);
      rmSync(path, { force: true });
    }
  } catch {
    // That it cannot be written is the finding.
    return null;
  }
}

/** Whether the entries of the package and everything they import are there. */
export function installationCheck(dist: string): Check {
  const name = 'installation';
  const missing = new Set<string>();
  const seen = new Set<string>();
  const open = ENTRIES.map(entryFile);
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    const path = join(dist, file);
    if (!existsSync(path)) missing.add(file);
    else open.push(...importsOf(readFileSync(path, 'utf8')));
  }
  if (missing.size === 0) return ok(name, `${seen.size} files in ${dist}`);
  const text = `${[...missing].sort().join(', ')} missing in ${dist}`;
  return { name, state: 'problem', text, advice: 'Install the package again (npm install).' };
}

function importsOf(code: string): readonly string[] {
  const modules = code.matchAll(/\b(?:from|import|require)\s*\(?\s*"\.\/([^"]+\.c?js)"/g);
  const parts = code.matchAll(/\$(?:load|late)\("([^"]+)"\)/g);
  return [...[...modules].map(([, file]) => file), ...[...parts].map(([, part]) => `${part}.js`)];
}

async function packageCheck(name: 'esbuild' | 'lz4-napi', purpose: string): Promise<Check> {
  try {
    await import(name);
    return ok(name, `there, for ${purpose}`);
  } catch (error) {
    const advice = `Run npm install ${name}, if you need ${purpose}.`;
    return { name, state: 'note', text: `no ${purpose}: ${reasonOf(error)}`, advice };
  }
}

function zstdCheck(): Check {
  if ('createZstdDecompress' in zlib) return ok('zstd', 'there, for .zst files');
  const advice = 'Node 22.15 and 23.8 have it, if you need them.';
  return { name: 'zstd', state: 'note', text: 'this Node cannot read .zst files', advice };
}

function ok(name: string, text: string): Check {
  return { name, state: 'ok', text };
}

function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}
