/**
 * Runs the job of a seed on a simulated disk until it has finished: each life ends at a disk operation, with a loss of
 * what was not durable, and the next one goes on from the newest checkpoint. Functions throw between, which the job
 * itself recovers from. After every life, what is visible must be part of what must come out, nothing of it twice; in the
 * end all of it. Runs on: the test's thread.
 */
import type { Disk } from '../../src/base/disk.js';
import { MillraceError } from '../../src/base/errors.js';
import { SeededRandom } from '../../src/base/random.js';
import { inFlightPlace } from '../../src/checkpoint/in-flight-pieces.js';
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js';
import type { PartCommit } from '../../src/connector/file-sink/commit-parts.js';
import { nextEventLoopTurn } from '../../src/runtime/event-loop.js';
import type { InThreadWorld } from '../../src/runtime/in-thread-run.js';
import { resolveSettings } from '../../src/runtime/settings.js';
import { startRun } from '../../src/runtime/start-run.js';
import { canonical, type CrashJob, definitionOf, expectedOf, parallelismIn } from './crash-job.js';
import { Crash, type Loss, SimDisk } from './sim-disk.js';
import { SimWorld } from './sim-world.js';

/** What happened in one life of a job. */
export interface Life {
  /** The operation at which it ended, and what was lost with it; null for one that came to its end. */
  readonly crashedAt: string | null;
  readonly loss: Loss['kind'] | null;
  /** What it went on from; null when it began. */
  readonly restoredFrom: number | null;
  /** Whether that held records that it had overtaken. */
  readonly hadInFlight: boolean;
  readonly parallelism: number;
  readonly restarts: number;
  /** Of them, those of the part that throws alone. */
  readonly partial: number;
  readonly completed: number;
  /** Whether it found that the job had come to its end before. */
  readonly hadFinished: boolean;
  /** Whether the end of the job is noted on the disk that it left behind. */
  readonly isEndNoted: boolean;
  /** Savepoints that completed and that no checkpoint of the life has followed. */
  readonly savedLast: number;
  /** Files that savepoints need and that are not visible. */
  readonly hiddenOfSavepoints: number;
  /** Lines that were visible when it ended. */
  readonly visible: number;
}

/** Runs it; throws what is wrong with it. */
export async function simulateCrashes(crashJob: CrashJob): Promise<readonly Life[]> {
  const disk = new SimDisk();
  disk.makeDirectory('/in');
  for (const [index, records] of crashJob.files.entries()) {
    const file = disk.createNew(`/in/${index}.ndjson`);
    const text = records.map((record) => `${JSON.stringify(record)}\n`).join('');
    file.write(new TextEncoder().encode(text));
    file.sync();
  }
  for (const path of ['/', '/in']) disk.syncDirectory(path);
  const expected = expectedOf(crashJob);
  const calls = { count: 0 };
  const lives: Life[] = [];
  for (const crash of [...crashJob.crashes, null]) {
    disk.restart({ kind: 'kill' }, crash?.fault == null ? [] : [crash.fault]);
    const life = await live(crashJob, disk, lives.length, calls, crash !== null);
    disk.restart(life.crashedAt === null ? { kind: 'kill' } : (crash?.loss ?? { kind: 'kill' }));
    const visible = visibleOn(disk);
    const loss = life.crashedAt === null ? null : (crash?.loss.kind ?? null);
    const isEndNoted = [...disk.files().keys()].some((path) => /^\/check.*\/finished$/.test(path));
    const hiddenOfSavepoints = checkSavepoints(disk);
    lives.push({ ...life, loss, isEndNoted, hiddenOfSavepoints, visible: visible.length });
    checkVisible(visible, expected);
    if (visible.length !== expected.length) {
      if (life.crashedAt === null || life.hadFinished || isEndNoted) {
        throw new Error(lost(visible, expected));
      }
    }
  }
  const { crashedAt } = lives.at(-1) as Life;
  if (crashedAt !== null) throw new Error('The last life did not come to its end.');
  const afterwards = await live(crashJob, disk, lives.length, calls);
  if (!afterwards.hadFinished) throw new Error('A job that had finished was run again.');
  checkNothingLeft(disk);
  checkVisible(visibleOn(disk), expected);
  for (const savepoint of savepointsOn(disk)) await goOnFrom(savepoint, crashJob, disk, expected);
  return lives;
}

/** A job that goes on from a savepoint, where others have written meanwhile, adds to what is there. */
async function goOnFrom(
  path: string,
  crashJob: CrashJob,
  disk: SimDisk,
  expected: readonly string[],
): Promise<void> {
  const before = visibleOn(disk);
  const settings = { ...crashJob.settings, 'execution.stateRecovery.path': path };
  const undisturbed = { ...crashJob, settings, throwsAt: [], savepointAfter: null };
  const life = await live(undisturbed, disk, 99, { count: 0 });
  if (life.restoredFrom === null) throw new Error(`${path} was not gone on from.`);
  const visible = visibleOn(disk);
  checkVisible(before, visible);
  checkVisible(expected, visible);
  checkSavepoints(disk);
}

async function live(
  crashJob: CrashJob,
  disk: SimDisk,
  index: number,
  calls: { count: number },
  isMortal = false,
): Promise<Omit<Life, 'visible' | 'loss' | 'isEndNoted' | 'hiddenOfSavepoints'>> {
  const parallelism = parallelismIn(crashJob, index);
  const { seed, batchRows, clockSpeed, settings, throwsAt, savepointAfter } = crashJob;
  let [restoredFrom, restarts, completed]: [number | null, number, number] = [null, 0, 0];
  let [partial, besideBegun, besideMay]: [number, number, number] = [0, 0, parallelism];
  let hadFinished = false;
  let hadInFlight = false;
  let savedLast = 0;
  const crash = (): string | null =>
    disk.journal.findLast((entry) => entry.endsWith(' crash')) ?? null;
  let save: (() => void) | null = null;
  let recordsSince = 0;
  const job = definitionOf(crashJob, {
    onRecord: () => {
      const isDue = savepointAfter !== null && completed >= savepointAfter.checkpoints;
      if (isDue && recordsSince++ === savepointAfter.records) save?.();
      if (throwsAt.includes(++calls.count)) throw new Error(`planned, at call ${calls.count}`);
    },
    onBeside: () => void besideBegun++,
  });
  try {
    const execution = await startRun({
      job,
      params: undefined,
      settings: resolveSettings([
        {
          origin: 'simulation',
          values: { parallelism, seed, 'exchange.batchRows': batchRows, ...settings },
        },
      ]),
      baseDirectory: '/',
      signal: null,
      world: worldOn(mortal(disk), seed * 16 + index, clockSpeed),
    });
    restoredFrom = execution.restored?.checkpoint ?? null;
    hadInFlight = holdsInFlight(disk, execution.restored?.path ?? null);
    save = () => {
      const saved = execution.savepoint({ directory: '/savepoints' });
      const { crashAfterSavepoint } = crashJob;
      saved.then(
        () => {
          if (isMortal && crashAfterSavepoint !== null) disk.crashIn(crashAfterSavepoint);
        },
        () => {},
      );
    };
    const watched = (async () => {
      for await (const event of execution.events()) {
        if (event.type === 'restart') {
          const { vertices } = event;
          const uids = execution.plan.vertices.flatMap(({ id, source }) =>
            vertices?.includes(id) === false ? [] : [source?.identity.uid],
          );
          if (uids.includes('beside-files')) besideMay += parallelism;
          else if (vertices !== null) partial++;
          // Only a failure of the disk is its own.
          const isPart = vertices !== null && uids.includes('beside-files');
          if (isPart && crash() === null) throw new Error('A part restarted that did not fail.');
        }
        if (event.type !== 'checkpoint' || event.report.status !== 'completed') continue;
        const isOwn = event.report.kind === 'checkpoint';
        savedLast = isOwn ? 0 : savedLast + 1;
        if (isOwn) completed++;
      }
    })();
    try {
      const result = await execution.finished;
      hadFinished = result.hadFinishedMs !== null;
    } finally {
      await watched;
      restarts = execution.restarts;
    }
  } catch (error) {
    if (crash() === null) throw error;
  }
  if (besideBegun > besideMay) throw new Error(`Begun ${besideBegun} times, of ${besideMay}.`);
  // While it tidied up after its end, perhaps.
  const crashedAt = crash();
  return {
    crashedAt,
    restoredFrom,
    parallelism,
    restarts,
    partial,
    completed,
    hadFinished,
    hadInFlight,
    savedLast,
  };
}

/**
 * The disk, whose crash is an error like others, so that what is left of the process has to end in order; it cannot
 * change the disk any more.
 */
function mortal<T extends object>(target: T): T {
  return new Proxy(target, {
    get(_, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...parameters: readonly unknown[]) => {
        try {
          const result: unknown = Reflect.apply(value, target, parameters);
          const isFile = name === 'openRead' || name === 'createNew';
          return isFile && typeof result === 'object' && result !== null ? mortal(result) : result;
        } catch (cause) {
          if (!(cause instanceof Crash)) throw cause;
          throw new MillraceError('FILE_UNWRITABLE', cause.message, { cause });
        }
      };
    },
  });
}

/** The clock and the order of steps of a seed, over the disk; the real event loop turns between. */
function worldOn(disk: Disk, seed: number, speed: number): InThreadWorld {
  const world = new SimWorld(seed);
  const random = new SeededRandom(seed ^ 0x7e57);
  let awaited = 0;
  return {
    clock: {
      epochMs: () => world.clock.epochMs() + (speed - 1) * world.nowMs,
      monotonicMs: () => world.clock.monotonicMs() * speed,
    },
    disk,
    shuffle: world.shuffle,
    events: {
      parker: (word, awaitsAnswers) => {
        const parker = world.events.parker(word, awaitsAnswers);
        return {
          announce: () => parker.announce(),
          withdraw: () => parker.withdraw(),
          wake: () => parker.wake(),
          park: async (ticket, timeoutMs) => {
            await nextEventLoopTurn();
            await parker.park(ticket, Math.min(timeoutMs, 5));
          },
        };
      },
      yieldToEvents: async () => {
        world.fireSome();
        if (random.below(4) === 0) await nextEventLoopTurn();
      },
      wakeAfter: (delayMs, callback) => {
        const id = ++awaited;
        if (delayMs === null) return;
        world.after(delayMs / speed, () => {
          if (id === awaited) callback();
        });
      },
    },
  };
}

/** False also where this is what crashes: the life goes on until it has noticed. */
function holdsInFlight(disk: SimDisk, path: string | null): boolean {
  try {
    if (path === null || disk.stat(`${path}/_metadata`) === null) return false;
    const { manifest, reader } = openCheckpoint(disk, path);
    reader.close();
    return manifest.pieces.some((piece) => inFlightPlace(piece) !== null);
  } catch (error) {
    if (error instanceof Crash) return false;
    throw error;
  }
}

/** Of checkpoints only the note stays that the job has come to its end, and who noted it. */
function checkNothingLeft(disk: SimDisk): void {
  const left = [...disk.files().keys()].filter(
    (path) => path.startsWith('/checkpoints/') && !/\/(finished|epoch-\d+\/owner)$/.test(path),
  );
  if (left.length > 0) throw new Error(`Left behind: ${left.join(', ')}.`);
}

/** Those that have completed. */
function savepointsOn(disk: SimDisk): readonly string[] {
  return disk
    .list('/savepoints')
    .map((name) => `/savepoints/${name}`)
    .filter((path) => disk.stat(`${path}/_metadata`) !== null);
}

/** What a savepoint holds is visible, or there to be made visible; how many files are the latter. */
function checkSavepoints(disk: SimDisk): number {
  let hidden = 0;
  for (const path of savepointsOn(disk)) {
    const { manifest, reader } = openCheckpoint(disk, path);
    reader.close();
    for (const { uid, committables } of manifest.sinks) {
      for (const part of committables as PartCommit[]) {
        const isHere = (name: string): boolean => disk.stat(`${outputOf(uid)}/${name}`) !== null;
        if (!isHere(part.pending) && !isHere(part.final)) {
          throw new Error(`${path} needs ${part.pending} of ${uid}, which is gone.`);
        }
        hidden += isHere(part.pending) ? 1 : 0;
      }
    }
  }
  return hidden;
}

/** Where a sink of the job writes. */
function outputOf(uid: string): string {
  return uid === 'out' ? '/out' : '/beside';
}

/** Every line of every part that has its visible name, sorted. */
function visibleOn(disk: SimDisk): readonly string[] {
  const lines: string[] = [];
  for (const [path, bytes] of disk.files()) {
    if (!/^\/(out|beside)\/part-/.test(path)) continue;
    const text = new TextDecoder().decode(bytes);
    if (!text.endsWith('\n')) throw new Error(`The part ${path} is cut off.`);
    lines.push(...text.trimEnd().split('\n'));
  }
  return lines.map((line) => canonical(JSON.parse(line))).toSorted();
}

function checkVisible(visible: readonly string[], expected: readonly string[]): void {
  const left = new Map<string, number>();
  for (const line of expected) left.set(line, (left.get(line) ?? 0) + 1);
  for (const line of visible) {
    const count = left.get(line) ?? 0;
    if (count === 0) throw new Error(`Repeated or wrong: ${line}.`);
    left.set(line, count - 1);
  }
}

function lost(visible: readonly string[], expected: readonly string[]): string {
  const seen = new Set(visible);
  const missing = expected.filter((line) => !seen.has(line));
  return `Lost ${expected.length - visible.length} of ${expected.length}: ${missing[0]} …`;
}
