/**
 * What only sorts consist of, with run files and their compression: a chain without one does not load it. Callers: the
 * slot builder and `explain-code.ts`, which load it where it is needed and give it to the chain. Runs on: the slot's
 * thread.
 */
export { sortedFragment, sortFragment } from './fragments/sort.js';
export { SortRun } from './sort-run.js';
