/**
 * One run of one contender in a process of its own, so that neither memory nor warmed-up code goes from one to the
 * next. The clock runs from after the imports to the end of the work; what only checks the answer comes after it.
 * Callers: `lib/spawn-run.mjs`, with the module and the request as JSON. Prints one line of JSON.
 */
import { readFileSync } from 'node:fs';

/**
 * What a contender is asked.
 *
 * @typedef {object} Request
 * @property {number} rows records to process
 * @property {import('./lib/inputs.mjs').InputFile | null} input the file to read, if the case reads one
 * @property {number} threads threads to use at most
 * @property {number} seed
 * @property {Record<string, unknown>} options as the case's declaration gives them
 */

/**
 * What it answers. `answer` runs after the clock has stopped; null when there is nothing to compare.
 *
 * @typedef {object} Outcome
 * @property {number} records
 * @property {number} [bytes] of input
 * @property {(() => readonly import('./lib/answer.mjs').AnswerRow[]) | null} answer
 * @property {number} [elapsedMs] when the contender keeps time itself, because only a part of it counts
 * @property {Record<string, number>} [measures] further figures
 */

/** @type {{ module: string, request: Request }} */
const { module, request } = JSON.parse(process.argv[2]);
const contender = await import(module);
await contender.prepare?.(request);

const cpuBefore = process.cpuUsage();
const startMs = performance.now();
/** @type {Outcome} */
const outcome = await contender.run(request);
const elapsedMs = outcome.elapsedMs ?? performance.now() - startMs;
const { user, system } = process.cpuUsage(cpuBefore);

const report = {
  records: outcome.records,
  bytes: outcome.bytes ?? null,
  elapsedMs,
  cpuSeconds: (user + system) / 1e6,
  peakRssBytes: peakRssBytes(),
  measures: outcome.measures ?? {},
  answer: outcome.answer === null ? null : outcome.answer(),
};
process.stdout.write(`\n${JSON.stringify(report)}\n`);

/**
 * Linux tells the peak since this program was loaded; what `resourceUsage` tells may be that of the process that
 * started it, from before it became this one.
 */
function peakRssBytes() {
  try {
    const [, kib] = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    if (kib !== undefined) return Number(kib) * 1024;
  } catch {
    // Not Linux.
  }
  return process.resourceUsage().maxRSS * 1024;
}
