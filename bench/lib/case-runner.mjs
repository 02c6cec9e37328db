/**
 * Runs a case: everyone once to warm up files and to give their answers, then everyone in turn, round after round.
 * Callers: `run.mjs`. Invariant: a summary is only made when all contenders gave the same answer to the same input.
 */
import { fileURLToPath } from 'node:url';
import { statSync } from 'node:fs';
import { differenceOf } from './answer.mjs';
import { prepareInput } from './inputs.mjs';
import { runOnce } from './spawn-run.mjs';
import { spreadOf } from './statistics.mjs';

/** @typedef {import('./bench-case.mjs').BenchCase} BenchCase */
/** @typedef {import('./bench-case.mjs').Contender} Contender */
/** @typedef {import('./spawn-run.mjs').RunReport} RunReport */
/** @typedef {import('./statistics.mjs').Spread} Spread */

/**
 * @typedef {object} RunSettings
 * @property {number} runs rounds that count
 * @property {boolean} quick small inputs
 * @property {number} seed
 * @property {(message: string) => void} tell is told what goes on
 */

/**
 * What a contender did in all rounds.
 *
 * @typedef {object} ContenderResult
 * @property {string} name
 * @property {string} title
 * @property {number} records of one run
 * @property {Spread} recordsPerSecond
 * @property {Spread | null} bytesPerSecond
 * @property {Spread} elapsedMs
 * @property {number} cpuSeconds median of the runs
 * @property {number} peakRssBytes of the worst run
 * @property {Record<string, Spread>} measures
 * @property {readonly Omit<RunReport, 'answer'>[]} runs
 */

/** @typedef {{ benchCase: BenchCase, contenders: readonly ContenderResult[] }} CaseResult */

/** Cores that contenders may use unless their declaration says otherwise. */
const THREADS = 2;

/**
 * @param {BenchCase} benchCase
 * @param {RunSettings} settings
 * @returns {Promise<CaseResult>}
 */
export async function runCase(benchCase, settings) {
  const requests = benchCase.contenders.map((entry) => requestOf(benchCase, entry, settings));
  await compareAnswers(benchCase, requests, settings);
  /** @type {RunReport[][]} */
  const reports = benchCase.contenders.map(() => []);
  for (let round = 1; round <= settings.runs; round++) {
    for (const [index, contender] of benchCase.contenders.entries()) {
      settings.tell(`${benchCase.name}: round ${round} of ${settings.runs}, ${contender.name}`);
      reports[index].push(await runOnce(contender, requests[index]));
    }
  }
  const contenders = benchCase.contenders.map((entry, index) => summaryOf(entry, reports[index]));
  return { benchCase, contenders };
}

/**
 * What a contender is asked; makes its input.
 *
 * @param {BenchCase} benchCase
 * @param {Contender} contender
 * @param {RunSettings} settings
 * @returns {import('../child.mjs').Request}
 */
export function requestOf(benchCase, contender, settings) {
  const all = settings.quick ? benchCase.rows.quick : benchCase.rows.full;
  const rows = Math.max(1, Math.round(all * (contender.share ?? 1)));
  const { seed } = settings;
  const { options = {}, threads = THREADS } = contender;
  return { rows, input: inputOf(benchCase, rows, settings), threads, seed, options };
}

function inputOf({ input }, rows, { seed, tell }) {
  if (input === undefined) return null;
  if (typeof input === 'string') return prepareInput({ kind: input, rows, seed }, tell);
  const path = fileURLToPath(new URL(`../../${input.file}`, import.meta.url));
  return { path, bytes: statSync(path).size, rows: input.rows };
}

/**
 * The round that does not count. Contenders with an input of their own size are compared with the limit on that input.
 */
async function compareAnswers(benchCase, requests, { tell }) {
  const { contenders } = benchCase;
  const limit = contenders.find(({ name }) => name === 'limit');
  /** By number of rows. */
  const expected = new Map();
  const wrong = [];
  const ordered = [...contenders.entries()].sort(([, a], [, b]) =>
    a === limit ? -1 : b === limit ? 1 : 0,
  );
  for (const [index, contender] of ordered) {
    const request = requests[index];
    tell(`${benchCase.name}: warm-up, ${contender.name}`);
    const { answer } = await runOnce(contender, request);
    if (answer === null) continue;
    if (!expected.has(request.rows)) {
      const own = contender === limit || limit === undefined;
      const reference = own
        ? answer
        : (await runOnce(limit, { ...request, options: limit.options ?? {} })).answer;
      expected.set(request.rows, reference);
    }
    const difference = differenceOf(expected.get(request.rows), answer);
    if (difference !== null) wrong.push(`${contender.name}: ${difference}`);
  }
  if (wrong.length === 0) return;
  throw new Error(`Contenders of ${benchCase.name} disagree.\n  ${wrong.join('\n  ')}`);
}

/**
 * @param {Contender} contender
 * @param {readonly RunReport[]} reports
 * @returns {ContenderResult}
 */
function summaryOf({ name, title }, reports) {
  const [first] = reports;
  const perSecond = (report, amount) => (amount / report.elapsedMs) * 1000;
  return {
    name,
    title,
    records: first.records,
    recordsPerSecond: spreadOf(reports.map((report) => perSecond(report, report.records))),
    bytesPerSecond:
      first.bytes === null ? null : spreadOf(reports.map((run) => perSecond(run, run.bytes ?? 0))),
    elapsedMs: spreadOf(reports.map((report) => report.elapsedMs)),
    cpuSeconds: spreadOf(reports.map((report) => report.cpuSeconds)).median,
    peakRssBytes: Math.max(...reports.map((report) => report.peakRssBytes)),
    measures: Object.fromEntries(
      Object.keys(first.measures).map((measure) => [
        measure,
        spreadOf(reports.map((report) => report.measures[measure])),
      ]),
    ),
    runs: reports.map(({ answer: _, ...report }) => report),
  };
}
