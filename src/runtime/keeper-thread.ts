/**
 * The main file of the coordinator's thread of a run that takes checkpoints, apart from the other one because most runs
 * are short and need none of this. Callers: `threaded-run.ts` starts it as a worker. Runs on: the coordinator's thread.
 */
import { systemClock } from '../base/clock.js';
import { nodeDisk } from '../base/node-disk.js';
import { coordinate } from './coordinate.js';
import { openKeeper } from './open-keeper.js';

coordinate((start, slots, ends) =>
  openKeeper(start, slots, { clock: systemClock, disk: nodeDisk }, ends),
);
