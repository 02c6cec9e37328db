/**
 * Opens what takes the checkpoints of an attempt, with its store; loaded by runs that take some. Callers: the
 * coordinator's thread, the in-thread runtime. Runs on: either.
 */
import type { Clock } from '../base/clock.js';
import type { Disk } from '../base/disk.js';
import { SeededRandom } from '../base/random.js';
import { DirectoryStore } from '../checkpoint/directory-store.js';
import { MemoryStore } from '../checkpoint/memory-store.js';
import type { ChainMerging } from './chain-merging.js';
import {
  type CheckpointingStart,
  CheckpointKeeper,
  type KeeperEnds,
  type KeeperWorld,
  type StorePlace,
} from './checkpoint-keeper.js';

/** What merges chains of checkpoints. */
type Merging = typeof ChainMerging;

/** What of the world may be another in a simulation. */
export interface KeeperSurroundings {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly merging: Merging | null;
  /** Absent: the timers of the thread. */
  readonly wakeAfter?: KeeperWorld['wakeAfter'];
  /** Absent: the event loop of the thread. */
  readonly later?: (callback: () => void) => void;
}

/** Loads what only incremental checkpoints need; null for others. */
export async function loadMerging(start: CheckpointingStart | null): Promise<Merging | null> {
  const isIncremental = start?.place?.isIncremental ?? false;
  return isIncremental ? (await import('./chain-merging.js')).ChainMerging : null;
}

/** Opens the store, which ends the rights of earlier attempts, and gives its keeper. */
export function openKeeper(
  start: CheckpointingStart,
  slots: readonly number[],
  surroundings: KeeperSurroundings,
  ends: KeeperEnds,
): CheckpointKeeper {
  const { clock, wakeAfter = threadTimer() } = surroundings;
  const random = new SeededRandom(start.seed);
  const { store, merging } = openStore(start.place, surroundings);
  return new CheckpointKeeper(start, slots, { store, merging, clock, random, wakeAfter }, ends);
}

function openStore(
  place: StorePlace | null,
  { disk, merging: Merging, later = afterTurn }: KeeperSurroundings,
): Pick<KeeperWorld, 'store' | 'merging'> {
  if (place === null) return { store: new MemoryStore(), merging: null };
  const store = new DirectoryStore({ disk, ...place });
  if (Merging === null) return { store, merging: null };
  return { store, merging: new Merging({ disk, root: store.root, store, later }) };
}

function afterTurn(callback: () => void): void {
  setImmediate(callback);
}

function threadTimer(): KeeperWorld['wakeAfter'] {
  let timer: NodeJS.Timeout | null = null;
  return (delayMs, callback) => {
    if (timer !== null) clearTimeout(timer);
    timer = delayMs === null ? null : setTimeout(callback, delayMs);
  };
}
