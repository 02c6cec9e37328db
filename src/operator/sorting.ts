/**
 * What only sorts consist of, with run files and their compression: a chain without one does not load it. Callers:
 * `chain-parts.ts`, which loads it where it is needed. Runs on: the slot's thread.
 */
export { sortedFragment, sortFragment } from './fragments/sort.js';
export { SortRun } from './sort-run.js';
