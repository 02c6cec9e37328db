/**
 * A job of three checkpoints and a savepoint whose disk kills the process at one of its operations, in the middle of it
 * where it is a write. Callers: `every-operation.mjs`, which bundles it. Arguments: where it works and at which operation
 * it dies, as JSON. The last line that it writes tells the operation, or how the life ended.
 */
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { ndjson } from '../../src/api/files.js';
import { job } from '../../src/api/job.js';
import { systemClock } from '../../src/base/clock.js';
import type { Disk, FileHandle } from '../../src/base/disk.js';
import { nodeDisk } from '../../src/base/node-disk.js';
import { SeededRandom } from '../../src/base/random.js';
import type { JobExecution } from '../../src/runtime/execution.js';
import { resolveSettings } from '../../src/runtime/settings.js';
import { startRun } from '../../src/runtime/start-run.js';

const { directory, killAt, settings, from } = JSON.parse(process.argv[2] ?? '{}') as {
  readonly directory: string;
  /** From 1; null for a life that is left alone. */
  readonly killAt: number | null;
  /** How checkpoints are taken. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly from: string;
};
/** Records of a life behind which a checkpoint is taken, and the savepoint. */
const CHECKPOINTS: readonly number[] = [150, 300, 450];
const SAVEPOINT = 380;

const journal: string[] = [];

function tell(line: object): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

/** Counts an operation; `half` does a part of the one at which the process dies. */
function count(operation: string, path: string, half: () => void = () => undefined): void {
  journal.push(`${operation} ${path.replace(directory, '')}`);
  if (journal.length !== killAt) return;
  half();
  tell({ killedAt: journal.at(-1) });
  process.kill(process.pid, 'SIGKILL');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

function deadlyFile(path: string, file: FileHandle): FileHandle {
  return {
    read: (...parameters) => {
      count('read', path);
      return file.read(...parameters);
    },
    write: (bytes) => {
      count('write', path, () => file.write(bytes.subarray(0, bytes.length >> 1)));
      file.write(bytes);
    },
    bytes: () => file.bytes(),
    sync: () => {
      count('sync', path);
      file.sync();
    },
    close: () => file.close(),
  };
}

/** The real disk, every operation of which may be the last. */
const disk = new Proxy(nodeDisk, {
  get(target, name) {
    const method: unknown = Reflect.get(target, name);
    if (typeof method !== 'function') return method;
    return (path: string, ...others: readonly string[]) => {
      count(String(name), others[0] ?? path);
      const result: unknown = Reflect.apply(method, target, [path, ...others]);
      const isFile = name === 'openRead' || name === 'createNew';
      return isFile ? deadlyFile(path, result as FileHandle) : result;
    };
  },
}) as Disk;

let records = 0;
let execution: JobExecution | null = null;

const numbers = job('numbers', (flow) => {
  flow
    .from(ndjson<{ key: number; number: number }>(join(directory, 'in.ndjson')), { uid: 'numbers' })
    .map(
      (record) => {
        records++;
        // What comes too late, or is overtaken by the end, is refused.
        if (CHECKPOINTS.includes(records)) execution?.checkpoint().catch(() => undefined);
        if (records === SAVEPOINT) {
          execution?.savepoint({ directory: join(directory, 'savepoints') }).catch(() => undefined);
        }
        return record;
      },
      { uid: 'map' },
    )
    .keyBy('key')
    .process(
      (context) => {
        const last = context.state.value<number>({ name: 'last' });
        return {
          processElement(record, { collect }) {
            const expected = (last.value() ?? 0) + 1;
            last.update(expected);
            collect({ key: record.key, number: record.number, expected });
          },
        };
      },
      { uid: 'counts' },
    )
    .to(ndjson<Record<string, unknown>>(join(directory, 'out'), { ifExists: 'append' }), {
      uid: 'files',
    });
});

execution = await startRun({
  job: numbers,
  params: undefined,
  settings: resolveSettings([
    {
      origin: 'crash',
      values: {
        parallelism: 1,
        seed: 1,
        'exchange.batchRows': 16,
        'execution.checkpointing.interval': '1h',
        'execution.checkpointing.dir': join(directory, 'checkpoints'),
        'execution.stateRecovery.path': from,
        'restartStrategy.type': 'none',
        ...settings,
      },
    },
  ]),
  baseDirectory: directory,
  signal: null,
  world: {
    clock: systemClock,
    disk,
    // Stepped in any order, subtasks have something before them that a checkpoint can overtake.
    shuffle:
      settings['execution.checkpointing.unaligned.enabled'] === true ? new SeededRandom(1) : null,
  },
});
const { restored } = execution;
let taken = 0;
let inFlightBytes = 0;
const watched = (async (running: JobExecution) => {
  for await (const event of running.events()) {
    if (event.type !== 'checkpoint' || event.report.status !== 'completed') continue;
    taken++;
    inFlightBytes += event.report.inFlightBytes;
  }
})(execution);
const { hadFinishedMs } = await execution.finished;
await watched;
tell({
  journal,
  restored: restored?.checkpoint ?? null,
  taken,
  inFlightBytes,
  hadFinished: hadFinishedMs !== null,
});
