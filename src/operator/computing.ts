/**
 * What only operators with expressions consist of, which is the compiler of expressions: a chain without one does not
 * load it. Callers: `load-chain-parts.ts`, which loads it where it is needed. Runs on: the slot's thread.
 */
export { assignTimestampsFragment } from './fragments/assign-timestamps.js';
export { selectFragment } from './fragments/select.js';
export { whereFragment } from './fragments/where.js';
