/**
 * The queries there are, and the columns of their results in the order in which they are written. Callers: the job,
 * the command line, the oracle. Runs on: any thread.
 */
import { q0 } from './queries/q0.mjs';
import { q1 } from './queries/q1.mjs';
import { Q10_BUCKETS, q10 } from './queries/q10.mjs';
import { q11 } from './queries/q11.mjs';
import { q12 } from './queries/q12.mjs';
import { q13 } from './queries/q13.mjs';
import { q14 } from './queries/q14.mjs';
import { q15 } from './queries/q15.mjs';
import { q16 } from './queries/q16.mjs';
import { q17 } from './queries/q17.mjs';
import { q18 } from './queries/q18.mjs';
import { q19 } from './queries/q19.mjs';
import { q2 } from './queries/q2.mjs';
import { q20 } from './queries/q20.mjs';
import { q21 } from './queries/q21.mjs';
import { q22 } from './queries/q22.mjs';
import { q23 } from './queries/q23.mjs';
import { q3 } from './queries/q3.mjs';
import { q4 } from './queries/q4.mjs';
import { q5 } from './queries/q5.mjs';
import { q6 } from './queries/q6.mjs';
import { q7 } from './queries/q7.mjs';
import { q8 } from './queries/q8.mjs';
import { q9 } from './queries/q9.mjs';

/**
 * What a query makes of the streams of people, auctions and bids.
 *
 * @typedef {(views: ReturnType<import('./views.mjs').viewsOf>) => import('millrace').Stream<unknown>} Query
 */

/** @type {Readonly<Record<string, Query>>} */
export const QUERIES = Object.freeze({
  q0,
  q1,
  q2,
  q3,
  q4,
  q5,
  q6,
  q7,
  q8,
  q9,
  q10,
  q11,
  q12,
  q13,
  q14,
  q15,
  q16,
  q17,
  q18,
  q19,
  q20,
  q21,
  q22,
  q23,
});

/**
 * Fields by which a query's files are divided among directories; a query that has them always writes its files.
 *
 * @type {Readonly<Record<string, readonly string[]>>}
 */
export const BUCKETS = Object.freeze({ q10: Q10_BUCKETS });
