/**
 * Prints a case as a table for people. Callers: `run.mjs`.
 */
import { measureOf } from './bench-case.mjs';
import { byteSize, count, significant, withUnit } from './units.mjs';

/** @typedef {import('./results.mjs').CaseRecord} CaseRecord */

/**
 * @param {CaseRecord} record
 * @param {import('./bench-case.mjs').BenchCase} benchCase
 * @returns {string}
 */
export function caseText(record, benchCase) {
  const rows = (benchCase.shows ?? 'rows') === 'rows';
  const lines = [`${record.case}: ${record.title}`];
  lines.push(...table(rows ? rateRows(record) : measureRows(record, benchCase)));
  for (const { text, value, aim, reached, aimReached } of record.must) {
    const goal = aim === null ? '' : `, aim ${significant(aim)}${aimReached ? ' reached' : ''}`;
    const state = reached === null ? 'stated ' : reached ? 'reached' : 'MISSED ';
    lines.push(`  ${state}  ${text}: ${count(value)}${goal}`);
  }
  return lines.join('\n');
}

/**
 * The lines that every figure is quoted with.
 *
 * @param {Pick<CaseRecord, 'command' | 'seed' | 'guarantee' | 'machine'>} run
 */
export function circumstances({ command, seed, guarantee, machine }) {
  const { processor, cores, memoryGib, system, node, millrace, commit, load } = machine;
  return [
    `${command}, seed ${seed}, guarantee: ${guarantee} (no checkpoints)`,
    `${processor}, ${cores} cores, ${memoryGib} GiB, ${system}, Node.js ${node}, ` +
      `Millrace ${millrace}${commit === null ? '' : ` (${commit})`}, load at start ${load}`,
  ].join('\n');
}

function rateRows({ contenders }) {
  const subject = contenders.find(({ name }) => name === 'millrace');
  const head = [
    '',
    'records/s',
    'min',
    'max',
    'bytes/s',
    'CPU s',
    'CPU ns/rec',
    'peak RSS',
    'ratio',
  ];
  const body = contenders.map((entry) => {
    const { min, median, max } = entry.recordsPerSecond;
    const ratio = subject.recordsPerSecond.median / median;
    return [
      entry.name,
      count(median),
      count(min),
      count(max),
      entry.bytesPerSecond === null ? '' : byteSize(entry.bytesPerSecond.median),
      significant(entry.cpuSeconds),
      significant((entry.cpuSeconds / entry.records) * 1e9),
      byteSize(entry.peakRssBytes),
      entry === subject ? '' : significant(ratio),
    ];
  });
  return [head, ...body];
}

function measureRows({ contenders }, benchCase) {
  const measures = benchCase.measures ?? [];
  const head = ['', ...measures.map(({ title }) => title), 'CPU s', 'peak RSS'];
  const body = contenders.map((entry) => [
    entry.name,
    ...measures.map(({ name }) => {
      const spread = entry.measures[name];
      if (spread === undefined) return '';
      const { unit } = measureOf(benchCase, name);
      const range = `${significant(spread.min)}..${significant(spread.max)}`;
      return unit.endsWith('/s')
        ? withUnit(spread.median, unit)
        : `${withUnit(spread.median, unit)} (${range})`;
    }),
    significant(entry.cpuSeconds),
    byteSize(entry.peakRssBytes),
  ]);
  return [head, ...body];
}

/** Columns aligned: the first to the left, the others to the right. */
function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) => {
    const cells = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]),
    );
    return `  ${cells.join('  ')}`;
  });
}
