/**
 * The main file of the thread that looks into state for a server. Callers: `state-reading.ts` starts it as a worker.
 * Runs on: that thread.
 */
import { parentPort } from 'node:worker_threads';
import { systemClock } from '../base/clock.js';
import { toWire } from '../base/errors.js';
import { nodeDisk } from '../base/node-disk.js';
import { StatePages } from '../savepoint/state-pages.js';
import type { StateAnswer, StateRequest } from './state-reading.js';

const pages = new StatePages(nodeDisk, systemClock);

parentPort?.on('message', ({ path, query }: StateRequest) => {
  parentPort?.postMessage(answerTo(path, query));
});

function answerTo(path: string, query: StateRequest['query']): StateAnswer {
  try {
    return { value: query === null ? pages.list(path) : pages.page(path, query), error: null };
  } catch (error) {
    return { value: null, error: toWire(error) };
  }
}
