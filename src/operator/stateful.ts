/**
 * What only operators consist of that keep something: keyed aggregations, windows, joins, process and asynchronous
 * functions, their tables and snapshots, and explode, which keeps the rest of a list. A chain without such operators
 * does without this code, which is a fifth of what a slot would have to load, so that nothing else but this file
 * imports it. Callers: `load-chain-parts.ts`, which loads it where it is needed. Runs on: the slot's thread.
 */
export { createHotTable } from '../state/hot-table.js';
export { eachRowCode } from './stored-rows.js';
export { AsyncRun } from './async/async-run.js';
export { PendingItems } from './chain-items.js';
export { JoinRun } from './chain-join.js';
export { KeyedRun } from './chain-keyed.js';
export { ProcessRun } from './chain-process.js';
export { ChainSnapshot, restoreChain, snapshotChain } from './chain-snapshot.js';
export { aggregateEntryFragment, aggregateFragment } from './fragments/aggregate.js';
export { asyncWaitFragment } from './fragments/async-wait.js';
export { explodeFragment, explodeRestFragment } from './fragments/explode.js';
export { joinFragment, joinRestFragment } from './fragments/join.js';
export { processFragment } from './fragments/process.js';
export { topEntryFragment, topFragment } from './fragments/top.js';
export { distinctFragment, reduceEntryFragment, reduceFragment } from './fragments/reduce.js';
