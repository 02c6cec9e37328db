/**
 * Opens what takes the checkpoints of an attempt, with its store; loaded by runs that take some. Callers: the
 * coordinator's thread, the in-thread runtime. Runs on: either.
 */
import type { Clock } from '../base/clock.js';
import type { Disk } from '../base/disk.js';
import { SeededRandom } from '../base/random.js';
import { DirectoryStore } from '../checkpoint/directory-store.js';
import { MemoryStore } from '../checkpoint/memory-store.js';
import {
  type CheckpointingStart,
  CheckpointKeeper,
  type KeeperEnds,
  type KeeperWorld,
} from './checkpoint-keeper.js';

/** What of the world may be another in a simulation. */
export interface KeeperSurroundings {
  readonly clock: Clock;
  readonly disk: Disk;
  /** Absent: the timers of the thread. */
  readonly wakeAfter?: KeeperWorld['wakeAfter'];
}

/** Opens the store, which ends the rights of earlier attempts, and gives its keeper. */
export function openKeeper(
  start: CheckpointingStart,
  slots: readonly number[],
  { clock, disk, wakeAfter = threadTimer() }: KeeperSurroundings,
  ends: KeeperEnds,
): CheckpointKeeper {
  const { place } = start;
  const store = place === null ? new MemoryStore() : new DirectoryStore({ disk, ...place });
  const random = new SeededRandom(start.seed);
  return new CheckpointKeeper(start, slots, { store, clock, random, wakeAfter }, ends);
}

function threadTimer(): KeeperWorld['wakeAfter'] {
  let timer: NodeJS.Timeout | null = null;
  return (delayMs, callback) => {
    if (timer !== null) clearTimeout(timer);
    timer = delayMs === null ? null : setTimeout(callback, delayMs);
  };
}
