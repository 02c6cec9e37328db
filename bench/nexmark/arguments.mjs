/**
 * The arguments of `npm run bench:nexmark`, checked. Callers: `run.mjs`. Runs on: the caller's thread; pure but for
 * looking whether files exist. Throws errors that say what is wrong and what would be right.
 */
import { existsSync } from 'node:fs';
import os from 'node:os';
import { parseArgs } from 'node:util';
import { MillraceError } from 'millrace';
import { eventSettings } from './events/event-settings.mjs';

const GUARANTEES = ['none', 'exactly-once'];
const BACKENDS = ['memory', 'lsm'];
const RIVALS = ['flink'];
const EVENTS = 10_000_000;
const MEMORY = '2gb';

export const USAGE = `npm run bench:nexmark -- [options]

  --queries q0,q5        queries to run, in this order; all by default
  --events N             events to generate; ${EVENTS} by default
  --parallelism P        subtasks of each operator; the number of cores by default
  --guarantee none       what is promised of results after a failure: none, or exactly-once, by a checkpoint every 10 s
  --state-backend memory where state by key is: in memory, or (lsm) in memory and on disk
  --input FILE           reads events from NDJSON, or from Parquet when the name ends in .parquet
  --output DIRECTORY     writes each query's final result there as qN.csv
  --json                 prints one object a query
  --runs N               runs each query N times and gives the median; 1 by default
  --check                compares each result with that of DuckDB over the same events
  --rival flink          runs each query on Apache Flink too, which needs Java and Python; see README.md
  --memory SIZE          memory of each slot; 2gb by default
  --write FILE           writes the events to NDJSON or Parquet and runs nothing
  --seed N               of the generator; 1 by default
  --density N            events per second of event time; 100000 by default
  --out-of-order N       events of a group within which times are out of order; 1 by default
  --list                 the queries there are`;

const OPTIONS = /** @type {const} */ ({
  queries: { type: 'string' },
  events: { type: 'string' },
  parallelism: { type: 'string' },
  guarantee: { type: 'string' },
  'state-backend': { type: 'string' },
  input: { type: 'string' },
  output: { type: 'string' },
  json: { type: 'boolean' },
  runs: { type: 'string' },
  check: { type: 'boolean' },
  rival: { type: 'string' },
  memory: { type: 'string' },
  write: { type: 'string' },
  seed: { type: 'string' },
  density: { type: 'string' },
  'out-of-order': { type: 'string' },
  list: { type: 'boolean' },
  help: { type: 'boolean' },
});

/**
 * @typedef {object} NexmarkArguments
 * @property {readonly string[]} queries
 * @property {{ events: number } & Partial<import('./events/event-settings.mjs').EventSettings>} events
 * @property {number} parallelism
 * @property {string} guarantee
 * @property {string} stateBackend
 * @property {string | null} input
 * @property {string | null} output
 * @property {string | null} write
 * @property {number} runs
 * @property {boolean} json
 * @property {boolean} check
 * @property {string | null} rival
 * @property {string} memory of each slot
 * @property {boolean} list
 * @property {boolean} help
 */

/**
 * @param {readonly string[]} words
 * @param {readonly string[]} known names of the queries there are
 * @returns {NexmarkArguments}
 */
export function nexmarkArguments(words, known) {
  const values = parsed(words);
  if (values.input !== undefined && !existsSync(values.input)) {
    throw new MillraceError('FILE_NOT_FOUND', `--input: there is no file "${values.input}".`, {
      advice: `Make one by npm run bench:nexmark -- --events 1000000 --write ${values.input}.`,
    });
  }
  if (values.check === true && (values.input ?? '').endsWith('.parquet')) {
    throw invalid('--check reads NDJSON, not Parquet.', 'Give --input events.ndjson.');
  }
  return {
    queries: queriesOf(values.queries, known),
    events: eventsOf(values),
    parallelism: whole('parallelism', values.parallelism, os.availableParallelism(), 1),
    guarantee: oneOf('guarantee', values.guarantee ?? 'none', GUARANTEES),
    stateBackend: oneOf('state-backend', values['state-backend'] ?? 'memory', BACKENDS),
    input: values.input ?? null,
    output: values.output ?? null,
    write: values.write ?? null,
    rival: values.rival === undefined ? null : oneOf('rival', values.rival, RIVALS),
    memory: values.memory ?? MEMORY,
    runs: whole('runs', values.runs, 1, 1),
    json: values.json ?? false,
    check: values.check ?? false,
    list: values.list ?? false,
    help: values.help ?? false,
  };
}

function parsed(words) {
  for (const word of words) {
    const [, name] = /^--([^=]*)/.exec(word) ?? [];
    if (name !== undefined && name !== '' && !(name in OPTIONS)) {
      throw new MillraceError('OPTION_UNKNOWN', `There is no option --${name}.`, {
        advice: nearest(name, Object.keys(OPTIONS).map(String), '--'),
      });
    }
  }
  try {
    return parseArgs({ args: [...words], options: OPTIONS }).values;
  } catch (error) {
    throw invalid(error.message, USAGE);
  }
}

function eventsOf(values) {
  const density = values.density === undefined ? undefined : Number(values.density);
  return eventSettings({
    events: whole('events', values.events, EVENTS, 1),
    seed: whole('seed', values.seed, undefined, 0),
    eventsPerSecond: density,
    outOfOrder: whole('out-of-order', values['out-of-order'], undefined, 1),
  });
}

function queriesOf(text, known) {
  if (text === undefined) return known;
  const names = text.split(',').map((name) => name.trim());
  for (const name of names) {
    if (known.includes(name)) continue;
    throw invalid(`--queries: there is no query "${name}".`, nearest(name, known, ''));
  }
  return [...new Set(names)];
}

function whole(name, text, otherwise, least) {
  if (text === undefined) return otherwise;
  const number = Number(text.replaceAll('_', ''));
  if (Number.isSafeInteger(number) && number >= least && text.trim() !== '') return number;
  throw invalid(`--${name} cannot be "${text}".`, `Give a whole number of at least ${least}.`);
}

function oneOf(name, value, choices) {
  if (choices.includes(value)) return value;
  throw invalid(`--${name} cannot be "${value}".`, `Choose ${choices.join(' or ')}.`);
}

function invalid(message, advice) {
  return new MillraceError('OPTION_INVALID', message, { advice });
}

/** The name that shares most letters at the start, or all there are. */
function nearest(name, known, prefix) {
  const shared = (other) => {
    let letters = 0;
    while (letters < other.length && other[letters] === name[letters]) letters++;
    return letters;
  };
  const best = known.toSorted(
    (a, b) =>
      shared(b) - shared(a) || Math.abs(a.length - name.length) - Math.abs(b.length - name.length),
  )[0];
  const all = `There are: ${known.map((other) => `${prefix}${other}`).join(', ')}.`;
  return shared(best) > 0 ? `Did you mean "${prefix}${best}"? ${all}` : all;
}
