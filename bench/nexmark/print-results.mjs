/** Prints results of Nexmark as a table for people. Callers: `run.mjs`. */
import { byteSize, count, significant } from '../lib/units.mjs';

const HEAD = [
  'query',
  'engine',
  'events',
  'seconds',
  'events/s',
  'CPU s',
  'per core',
  'peak RSS',
  'checkpoints',
  'result',
];
/** Columns of words, which are aligned to the left. */
const WORDS = new Set([0, 1, 9]);
const CORRECT = new Map([
  [null, ''],
  [true, 'as DuckDB'],
  [false, 'WRONG'],
]);

/**
 * @param {readonly import('./run.mjs').QueryResult[]} results
 * @returns {string}
 */
export function resultTable(results) {
  const rows = [HEAD, ...results.map(cells)];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) => row.map((cell, column) => aligned(cell, column, widths[column])).join('  '))
    .map((line) => line.trimEnd())
    .join('\n');
}

function cells(result) {
  return [
    result.query,
    result.engine,
    count(result.events),
    significant(result.elapsedMs / 1000),
    count(result.eventsPerSecond),
    significant(result.cpuSeconds),
    count(result.eventsPerSecondPerCore),
    byteSize(result.peakRssBytes),
    result.checkpoints === null ? '' : String(result.checkpoints),
    CORRECT.get(result.correct),
  ];
}

function aligned(cell, column, width) {
  return WORDS.has(column) ? cell.padEnd(width) : cell.padStart(width);
}

/** The lines that every figure is quoted with. */
export function circumstances(words, given, machine) {
  const { processor, cores, memoryGib, system, node, millrace, commit, load } = machine;
  const { seed, eventsPerSecond, outOfOrder } = given.events;
  const source =
    given.input === null
      ? `generator inside the job, seed ${seed}, ${eventsPerSecond} events a second of event time` +
        (outOfOrder === 1 ? '' : `, groups of ${outOfOrder} out of order`)
      : `events from ${given.input}`;
  return [
    ['npm run bench:nexmark --', ...words].join(' '),
    `${source}; parallelism ${given.parallelism}; guarantee: ${guaranteeText(given)}`,
    `${processor}, ${cores} cores, ${memoryGib} GiB, ${system}, Node.js ${node}, ` +
      `Millrace ${millrace}${commit === null ? '' : ` (${commit})`}, load at start ${load}`,
    'Whole jobs, starting and ending threads included; per core is events by CPU seconds.',
  ].join('\n');
}

function guaranteeText({ guarantee, stateBackend, memory }) {
  const checkpoints = guarantee === 'none' ? 'no checkpoints' : 'incremental, every 10 s';
  return `${guarantee} (${checkpoints}); state.backend ${stateBackend}, slots of ${memory}`;
}
