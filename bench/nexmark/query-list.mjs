/**
 * The queries there are, and the columns of their results in the order in which they are written. Callers: the job,
 * the command line, the oracle. Runs on: any thread.
 */
import { q0 } from './queries/q0.mjs';
import { q1 } from './queries/q1.mjs';
import { q10 } from './queries/q10.mjs';
import { q14 } from './queries/q14.mjs';
import { q15 } from './queries/q15.mjs';
import { q16 } from './queries/q16.mjs';
import { q17 } from './queries/q17.mjs';
import { q2 } from './queries/q2.mjs';
import { q21 } from './queries/q21.mjs';
import { q22 } from './queries/q22.mjs';

/**
 * What a query makes of the streams of people, auctions and bids.
 *
 * @typedef {(views: ReturnType<import('./views.mjs').viewsOf>) => import('millrace').Stream<unknown>} Query
 */

/** @type {Readonly<Record<string, Query>>} */
export const QUERIES = Object.freeze({ q0, q1, q2, q10, q14, q15, q16, q17, q21, q22 });
