/**
 * The main file of the coordinator's thread of a run without checkpoints. Callers: `threaded-run.ts` starts it as a
 * worker. Runs on: the coordinator's thread.
 */
import { coordinate } from './coordinate.js';

coordinate(null);
