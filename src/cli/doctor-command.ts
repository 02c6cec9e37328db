/**
 * `millrace doctor`: what this machine and installation offer, and what is wrong with them. Callers: `main.ts`.
 * Runs on: the main thread.
 */
import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { availableParallelism, cpus, freemem, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import * as zlib from 'node:zlib';
import { systemClock } from '../base/clock.js';
import { formatBytes } from '../base/units.js';
import type { CommandContext } from './command-context.js';

/** One finding. */
interface Check {
  readonly name: string;
  readonly state: 'ok' | 'note' | 'bad';
  readonly text: string;
}

/** Prints the findings; the exit code, 1 when something is bad. */
export async function doctorCommand({ json, stdout }: CommandContext): Promise<number> {
  const checks: readonly Check[] = [
    node(),
    processor(),
    memory(),
    shared(),
    await worker(),
    await packageCheck('esbuild', 'TypeScript jobs'),
    await packageCheck('lz4-napi', 'lz4 files'),
    zstd(),
    disk(),
  ];
  if (json !== null) {
    json.line('doctor', { checks });
  } else {
    const marks = { ok: ' ok ', note: 'note', bad: ' BAD' };
    for (const { name, state, text } of checks) {
      stdout.write(`[${marks[state]}] ${name.padEnd(14)} ${text}\n`);
    }
  }
  return checks.some((check) => check.state === 'bad') ? 1 : 0;
}

function node(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const isSupported = major > 20 || (major === 20 && minor >= 19);
  const text = `${process.version}, V8 ${process.versions.v8}, ${process.platform} ${process.arch}`;
  if (!isSupported) return { name: 'node', state: 'bad', text: `${text}; 20.19 is the oldest` };
  return { name: 'node', state: 'ok', text };
}

function processor(): Check {
  const model = cpus()[0]?.model ?? 'unknown';
  return { name: 'cores', state: 'ok', text: `${availableParallelism()} usable, ${model}` };
}

function memory(): Check {
  const free = freemem();
  const text = `${formatBytes(free)} free of ${formatBytes(totalmem())}`;
  return { name: 'memory', state: free < 512 * 1024 ** 2 ? 'note' : 'ok', text };
}

function shared(): Check {
  const isThere =
    typeof SharedArrayBuffer === 'function' && typeof Atomics.waitAsync === 'function';
  return isThere
    ? { name: 'shared memory', state: 'ok', text: 'SharedArrayBuffer and Atomics.waitAsync' }
    : {
        name: 'shared memory',
        state: 'bad',
        text: 'SharedArrayBuffer or Atomics.waitAsync missing',
      };
}

async function worker(): Promise<Check> {
  const startMs = systemClock.monotonicMs();
  return new Promise((resolve) => {
    const thread = new Worker('', { eval: true });
    thread.once('error', (error) => {
      resolve({ name: 'threads', state: 'bad', text: error.message });
    });
    thread.once('exit', () => {
      const ms = Math.round(systemClock.monotonicMs() - startMs);
      resolve({ name: 'threads', state: 'ok', text: `a worker starts and ends in ${ms} ms` });
    });
  });
}

async function packageCheck(name: 'esbuild' | 'lz4-napi', purpose: string): Promise<Check> {
  try {
    await import(name);
    return { name, state: 'ok', text: `there, for ${purpose}` };
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    return { name, state: 'note', text: `missing, so no ${purpose}: ${reason}` };
  }
}

function zstd(): Check {
  return 'createZstdDecompress' in zlib
    ? { name: 'zstd', state: 'ok', text: 'there' }
    : { name: 'zstd', state: 'note', text: 'this Node has none; .zst files are refused' };
}

/** What a durable write costs, in the temporary directory. */
function disk(): Check {
  const path = join(tmpdir(), `millrace-doctor-${process.pid}`);
  try {
    const file = openSync(path, 'w');
    const startMs = systemClock.monotonicMs();
    for (let round = 0; round < 5; round++) {
      writeSync(file, Buffer.alloc(4096));
      fsyncSync(file);
    }
    const ms = (systemClock.monotonicMs() - startMs) / 5;
    closeSync(file);
    return { name: 'disk', state: 'ok', text: `fsync ${ms.toFixed(2)} ms in ${tmpdir()}` };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { name: 'disk', state: 'bad', text: reason };
  } finally {
    rmSync(path, { force: true });
  }
}
