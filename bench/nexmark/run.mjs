/**
 * `npm run bench:nexmark -- [options]`: runs queries of Nexmark, each in a process of its own, and prints how fast they
 * were, as a table or as JSON. `--help` tells the options, `README.md` what the figures mean. Ends with code 1 when a
 * query fails or its result is not that of DuckDB, with code 2 when the arguments are wrong.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describeError } from 'millrace';
import { FlinkRival } from '../rivals/flink/flink-nexmark.mjs';
import { describeMachine } from '../lib/machine.mjs';
import { runOnce } from '../lib/spawn-run.mjs';
import { nexmarkArguments, USAGE } from './arguments.mjs';
import { Oracle } from './oracle/oracle.mjs';
import { joinParts, moveOnlyPart } from './parts.mjs';
import { circumstances, resultTable } from './print-results.mjs';
import { BUCKETS, QUERIES } from './query-list.mjs';
import { RESULT_COLUMNS } from './result-columns.mjs';
import { writeEvents } from './write-events.mjs';

/**
 * What was measured of a query.
 *
 * @typedef {object} QueryResult
 * @property {string} query
 * @property {string} engine
 * @property {string} source `generator`, or the file that was read
 * @property {number} events
 * @property {number} parallelism
 * @property {string} guarantee
 * @property {string} [stateBackend] of Millrace
 * @property {number | null} checkpoints that were completed while it ran; null where that is not known
 * @property {number} elapsedMs
 * @property {number} cpuSeconds of all threads of the process
 * @property {number} eventsPerSecond
 * @property {number} eventsPerSecondPerCore events by CPU seconds
 * @property {number} peakRssBytes
 * @property {string | null} output file with the result
 * @property {boolean | null} correct whether it is that of DuckDB; null when that was not asked
 */

const work = mkdtempSync(join(tmpdir(), 'millrace-nexmark-'));
try {
  await main(argumentsOrExit());
} finally {
  rmSync(work, { recursive: true, force: true });
}

function argumentsOrExit() {
  try {
    return nexmarkArguments(process.argv.slice(2), Object.keys(QUERIES));
  } catch (error) {
    console.error(describeError(error));
    rmSync(work, { recursive: true, force: true });
    process.exit(2);
  }
}

async function main(given) {
  if (given.help) return console.log(USAGE);
  if (given.list) return console.log(Object.keys(QUERIES).join('\n'));
  if (given.write !== null) return writeEvents(given.write, given.events);
  if (given.output !== null) mkdirSync(given.output, { recursive: true });
  const machine = describeMachine();
  const oracle = given.check ? await oracleOf(given) : null;
  const rival =
    given.rival === null ? null : await FlinkRival.start({ ...given, work }, console.error);
  const results = [];
  const keep = (result) => {
    results.push(result);
    if (given.json) console.log(JSON.stringify({ ...result, machine }));
  };
  for (const query of given.queries) {
    try {
      const result = await measured(query, given);
      if (oracle !== null) result.correct = await isCorrect(oracle, query, result.output);
      keep(result);
      if (rival?.has(query)) {
        const other = await rival.measured(query, result.events);
        if (oracle !== null && rival.isComparable(query)) {
          const path = join(work, `${query}-flink.csv`);
          await rival.writeResult(query, path);
          other.correct = await isCorrect(oracle, query, path);
        }
        keep(other);
      }
    } catch (error) {
      process.exitCode = 1;
      console.error(`${query} failed: ${error.message}`);
    }
  }
  oracle?.close();
  rival?.stop();
  if (given.json || results.length === 0) return;
  console.log(resultTable(results));
  console.log(`\n${circumstances(process.argv.slice(2), given, machine)}`);
}

/** The median of a query's runs. */
async function measured(query, given) {
  const { events, parallelism, memory, guarantee, stateBackend, runs } = given;
  const input = given.input === null ? null : resolve(given.input);
  const isKept = given.output !== null || given.check;
  const hasBuckets = BUCKETS[query] !== undefined;
  const root = given.output !== null && hasBuckets ? given.output : work;
  const directory = isKept || hasBuckets ? join(resolve(root), query) : null;
  const settings = { parallelism, memory, guarantee, stateBackend };
  const options = { query, events, input, output: directory, ...settings };
  const contender = { name: query, module: 'nexmark/run-query.mjs' };
  const reports = [];
  for (let run = 0; run < runs; run++) {
    reports.push(
      await runOnce(contender, { rows: 0, input: null, threads: parallelism, seed: 0, options }),
    );
  }
  const report = middle(reports);
  const output = isKept ? join(given.output ?? work, `${query}.csv`) : null;
  // A file ends at each checkpoint.
  const gather = hasBuckets || guarantee !== 'none' ? joinParts : moveOnlyPart;
  if (output !== null) gather(directory, output, `${RESULT_COLUMNS[query].join(',')}\n`);
  return {
    query,
    engine: 'millrace',
    source: given.input ?? 'generator',
    events: report.records,
    parallelism,
    guarantee,
    stateBackend,
    checkpoints: report.measures.checkpoints,
    elapsedMs: report.elapsedMs,
    cpuSeconds: report.cpuSeconds,
    eventsPerSecond: (report.records / report.elapsedMs) * 1000,
    eventsPerSecondPerCore: report.records / report.cpuSeconds,
    peakRssBytes: report.peakRssBytes,
    output,
    correct: null,
  };
}

/** The run whose time is the median, the lower one of two. */
function middle(reports) {
  const sorted = reports.toSorted((a, b) => a.elapsedMs - b.elapsedMs);
  return sorted[Math.floor((sorted.length - 1) / 2)];
}

/** DuckDB with the events that the queries see. */
async function oracleOf({ input, events }) {
  const path = input ?? join(work, 'events.ndjson');
  if (input === null) await writeEvents(path, events);
  return Oracle.open(path);
}

async function isCorrect(oracle, query, path) {
  const difference = await oracle.difference(query, path);
  if (difference === null) return true;
  process.exitCode = 1;
  console.error(`${query} differs from DuckDB: ${difference}`);
  return false;
}
