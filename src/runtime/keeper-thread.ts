/**
 * The main file of the coordinator's thread of a run that takes checkpoints, apart from the other one because most runs
 * are short and need none of this. Callers: `threaded-run.ts` starts it as a worker. Runs on: the coordinator's thread.
 * What comes to its ports while it loads waits there.
 */
import { workerData } from 'node:worker_threads';
import { systemClock } from '../base/clock.js';
import { nodeDisk } from '../base/node-disk.js';
import { coordinate } from './coordinate.js';
import type { CoordinatorThreadData } from './messages.js';
import { loadMerging, openKeeper } from './open-keeper.js';

const { start } = workerData as CoordinatorThreadData;

void loadMerging(start.checkpointing).then((merging) =>
  coordinate((checkpointing, slots, ends) =>
    openKeeper(checkpointing, slots, { clock: systemClock, disk: nodeDisk, merging }, ends),
  ),
);
