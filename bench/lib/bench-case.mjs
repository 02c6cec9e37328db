/**
 * What a case is: a plain object that says who competes on what and what must come out. Callers: the files in
 * `cases/`, `case-runner.mjs`.
 */
import { readdirSync } from 'node:fs';

/**
 * One who competes: a module that exports `run(request)`, see `child.mjs`.
 *
 * @typedef {object} Contender
 * @property {string} name as in results: 'millrace', 'limit', 'duckdb', …
 * @property {string} title what exactly it is, for people
 * @property {string} module path below `bench/`
 * @property {Record<string, unknown>} [options] handed to it
 * @property {number} [share] part of the rows that slow rivals get, so that a run takes seconds; rates still compare
 * @property {number} [threads] default 2
 * @property {readonly string[]} [nodeArguments]
 * @property {boolean} [isReference] shown beside the others, but not compared with
 */

/**
 * What must be reached. Without `over` the measure itself is compared, else its ratio over another contender. Without a
 * bound the figure is only stated.
 *
 * @typedef {object} Must
 * @property {string} [contender] default 'millrace'
 * @property {string} [measure] 'recordsPerSecond' unless named
 * @property {string} [over] the contender compared with
 * @property {number} [atLeast]
 * @property {number} [atMost] for a measure of which less is better
 * @property {number} [aim]
 */

/**
 * A measure beside records per second.
 *
 * @typedef {{ name: string, unit: string, title: string, better: 'more' | 'less' }} Measure
 */

/**
 * @typedef {object} BenchCase
 * @property {string} name
 * @property {string} title the question that is asked, in a line
 * @property {'rows' | 'measures'} [shows] whether records per second say anything about it; default 'rows'
 * @property {{ full: number, quick: number }} rows
 * @property {'ndjson' | 'csv' | 'text' | { file: string, rows: number }} [input] a kind to make, or a file of the
 *   repository
 * @property {readonly Contender[]} contenders
 * @property {readonly Measure[]} [measures]
 * @property {readonly Must[]} must
 */

/** Order in which cases run and are shown; others follow by name. */
const ORDER = [
  'chain-expr',
  'chain-lambda',
  'exchange',
  'observed',
  'ring',
  'ndjson-groupby',
  'csv-groupby',
  'parquet-groupby',
  'wordcount',
  'startup',
  'scaling',
  'garbage',
];

/**
 * All cases: each file in `cases/` exports one as `benchCase`.
 *
 * @returns {Promise<BenchCase[]>}
 */
export async function allCases() {
  const directory = new URL('../cases/', import.meta.url);
  const files = readdirSync(directory).filter((name) => name.endsWith('.mjs'));
  const modules = await Promise.all(files.map((name) => import(new URL(name, directory).href)));
  const place = ({ name }) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
  return modules
    .map((module) => module.benchCase)
    .sort((a, b) => place(a) - place(b) || a.name.localeCompare(b.name));
}

/**
 * A measure of a case by its name.
 *
 * @param {BenchCase} benchCase
 * @param {string} name
 * @returns {Measure}
 */
export function measureOf(benchCase, name) {
  const found = benchCase.measures?.find((measure) => measure.name === name);
  if (found !== undefined) return found;
  if (name !== 'recordsPerSecond') throw new Error(`${benchCase.name} measures no "${name}".`);
  return { name, unit: 'records/s', title: 'records per second', better: 'more' };
}
