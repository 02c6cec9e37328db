/**
 * Turns what was measured into what is said: ratios, and whether the musts are reached. Callers: `run.mjs`. Pure.
 */
import { measureOf } from './bench-case.mjs';
import { ratioOf } from './statistics.mjs';
import { count } from './units.mjs';

/** @typedef {import('./case-runner.mjs').CaseResult} CaseResult */
/** @typedef {import('./case-runner.mjs').ContenderResult} ContenderResult */
/** @typedef {import('./statistics.mjs').Spread} Spread */

/**
 * How one must came out; one without a bound is only stated.
 *
 * @typedef {object} Verdict
 * @property {string} text such as 'millrace: at least 0.7 of limit'
 * @property {number} value what was measured
 * @property {number | null} must
 * @property {number | null} aim
 * @property {boolean | null} reached null when only stated
 * @property {boolean | null} aimReached
 */

/**
 * One case as a line of JSON.
 *
 * @typedef {object} CaseRecord
 * @property {string} case
 * @property {string} title
 * @property {number | null} recordsPerSecond of the subject, the median of its runs
 * @property {number | null} bytesPerSecond
 * @property {number} cpuSeconds
 * @property {number} peakRssBytes
 * @property {number | null} ratioToLimit above 1: Millrace is faster
 * @property {Record<string, number>} ratios to each rival, above 1: Millrace is faster
 * @property {readonly Verdict[]} must
 * @property {boolean} reached whether all musts are; aims do not count
 * @property {readonly ContenderResult[]} contenders
 * @property {readonly object[]} runs of the subject
 * @property {string} command
 * @property {number} seed
 * @property {'none'} guarantee no checkpoints are taken
 * @property {import('./machine.mjs').Machine} machine
 */

/**
 * @param {CaseResult} result
 * @param {{ command: string, seed: number, machine: import('./machine.mjs').Machine }} run
 * @returns {CaseRecord}
 */
export function recordOf({ benchCase, contenders }, { command, seed, machine }) {
  const subject = contenderNamed(contenders, 'millrace');
  const rows = (benchCase.shows ?? 'rows') === 'rows';
  const main = rows ? 'recordsPerSecond' : (benchCase.measures?.[0].name ?? 'recordsPerSecond');
  const ratio = (other) => ratioBetween(benchCase, main, subject, other);
  const isRival = ({ name, isReference }) =>
    !isOurs(name) && name !== 'limit' && isReference !== true;
  const rivals = benchCase.contenders
    .filter(isRival)
    .map(({ name }) => contenderNamed(contenders, name));
  const limit = contenders.find(({ name }) => name === 'limit');
  const must = benchCase.must.map((entry) => verdictOf(benchCase, entry, contenders));
  return {
    case: benchCase.name,
    title: benchCase.title,
    recordsPerSecond: rows ? subject.recordsPerSecond.median : null,
    bytesPerSecond: subject.bytesPerSecond?.median ?? null,
    cpuSeconds: subject.cpuSeconds,
    peakRssBytes: subject.peakRssBytes,
    ratioToLimit: limit === undefined ? null : ratio(limit),
    ratios: Object.fromEntries(rivals.map((rival) => [rival.name, ratio(rival)])),
    must,
    reached: must.every((verdict) => verdict.reached !== false),
    contenders,
    runs: subject.runs,
    command,
    seed,
    guarantee: 'none',
    machine,
  };
}

/** Whether a contender is Millrace in one of its settings. */
export function isOurs(name) {
  return name.startsWith('millrace');
}

/**
 * @param {ContenderResult} contender
 * @param {string} measure
 * @returns {Spread}
 */
export function measured(contender, measure) {
  const spread =
    measure === 'recordsPerSecond' ? contender.recordsPerSecond : contender.measures[measure];
  if (spread === undefined) throw new Error(`${contender.name} did not measure "${measure}".`);
  return spread;
}

/** Of medians, which the table shows, so that a reader can check it. */
function ratioBetween(benchCase, measure, ours, theirs) {
  const { better } = measureOf(benchCase, measure);
  return ratioOf(measured(ours, measure).median, measured(theirs, measure).median, better);
}

/**
 * @param {import('./bench-case.mjs').BenchCase} benchCase
 * @param {import('./bench-case.mjs').Must} must
 * @param {readonly ContenderResult[]} contenders
 * @returns {Verdict}
 */
export function verdictOf(benchCase, must, contenders) {
  const { contender = 'millrace', measure = 'recordsPerSecond', over, aim = null } = must;
  const ours = contenderNamed(contenders, contender);
  const value =
    over === undefined
      ? measured(ours, measure).median
      : ratioBetween(benchCase, measure, ours, contenderNamed(contenders, over));
  // A ratio above 1 is better whatever it is a ratio of.
  const less = over === undefined && measureOf(benchCase, measure).better === 'less';
  const reaches = (wanted) => (less ? value <= wanted : value >= wanted);
  const bound = must.atMost ?? must.atLeast ?? null;
  return {
    text: textOf(benchCase, must, bound, less),
    value,
    must: bound,
    aim,
    reached: bound === null ? null : reaches(bound),
    aimReached: aim === null ? null : reaches(aim),
  };
}

function textOf(benchCase, { contender = 'millrace', measure, over }, bound, less) {
  const { title, unit } = measureOf(benchCase, measure ?? 'recordsPerSecond');
  const of = over === undefined ? unit : `of ${over}`;
  const wanted = bound === null ? of : `${less ? 'at most' : 'at least'} ${count(bound)} ${of}`;
  return `${contender}: ${wanted}${measure === undefined ? '' : ` (${title})`}`;
}

function contenderNamed(contenders, name) {
  const found = contenders.find((contender) => contender.name === name);
  if (found === undefined) throw new Error(`There is no contender "${name}".`);
  return found;
}
