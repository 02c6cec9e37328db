/**
 * Crashes the jobs of a range of seeds and counts what is rare. Callers: `campaign.mjs`, the crash test. Runs on: the
 * test's thread.
 */
import type { CampaignOptions, CampaignResult } from './campaign.js';
import { crashJob } from './crash-job.js';
import { type Life, simulateCrashes } from './simulate-crashes.js';

/** How each rare state is recognised in a life. */
const RECOGNISE = {
  'a life began with nothing after one that had crashed': (life, before) =>
    before !== null && life.restoredFrom === null && !life.hadFinished,
  'a life went on from a checkpoint': (life) => life.restoredFrom !== null,
  'a life went on from a checkpoint and took further ones': (life) =>
    life.restoredFrom !== null && life.completed > 0,
  'a life went on from a checkpoint with records that it had overtaken': (life) => life.hadInFlight,
  'a life went on at another parallelism from a checkpoint with records that it had overtaken': (
    life,
    before,
  ) => life.hadInFlight && before !== null && before.parallelism !== life.parallelism,
  'a life crashed after one that had gone on': (life, before) =>
    before !== null && before.restoredFrom !== null && life.crashedAt !== null,
  'a life crashed before it ran': (life) => life.crashedAt !== null && life.completed === 0,
  'the process was killed': ({ loss }) => loss === 'kill',
  'the power went, with all that was not durable': ({ loss }) => loss === 'all',
  'the power went, with some of that': ({ loss }) => loss === 'some',
  'the power went and tore files': ({ loss }) => loss === 'torn',
  'it crashed while a checkpoint was written': (life) => isAt(life, /^(write|sync) .*chk-\d+/),
  'it crashed while a checkpoint was published': (life) => isAt(life, /^rename .*\/checkpoints/),
  'it crashed while a checkpoint was deleted': (life) => isAt(life, /^remove\w* .*\/checkpoints/),
  'it crashed while a checkpoint was read': (life) => isAt(life, /^(openRead|read|bytes) .*chk-/),
  'it crashed while output was made visible': (life) => isAt(life, /^rename \/out/),
  'it crashed while output was written': (life) => isAt(life, /^(write|sync) \/out/),
  'some output was visible when it crashed': (life) => life.crashedAt !== null && life.visible > 0,
  'it restarted by itself after a failure': (life) => life.restarts > 0,
  'a part of it restarted by itself, and the other went on': (life) => life.partial > 0,
  'a part of it restarted after checkpoints, and further ones followed': (life) =>
    life.partial > 0 && life.completed > 2,
  'it crashed before its end was noted, with all output visible': (life) =>
    isAt(life, /\/epoch-\d+\/finished/) && !life.isEndNoted,
  'it crashed after its end was noted, before all checkpoints were gone': (life) =>
    life.crashedAt !== null && life.isEndNoted && !life.hadFinished,
  'it crashed while it tidied up after an earlier life that had finished': (life, before) =>
    life.crashedAt !== null && before?.isEndNoted === true,
  'a life found that the job had finished': (life) => life.hadFinished,
  'it crashed after a savepoint and before the next checkpoint': (life) =>
    life.crashedAt !== null && life.savedLast > 0,
  'a life went on from a checkpoint beside output that only savepoints hold': (life, before) =>
    life.restoredFrom !== null &&
    (before?.savedLast ?? 0) > 0 &&
    (before?.hiddenOfSavepoints ?? 0) > 0,
  'several checkpoints completed in one life': (life) => life.completed > 2,
} as const satisfies Record<string, (life: Life, before: Life | null) => boolean>;

/** Runs the seeds in order. */
export async function crashCampaign(options: CampaignOptions): Promise<CampaignResult> {
  const states: Record<string, number> = {};
  for (const name of Object.keys(RECOGNISE)) states[name] = 0;
  let [failures, count] = [0, 0];
  for (let seed = options.from; seed < options.from + options.count; seed++) {
    const job = crashJob(seed);
    try {
      const lives = await simulateCrashes(job);
      count += lives.length;
      for (const [index, life] of lives.entries()) {
        for (const [name, recognise] of Object.entries(RECOGNISE)) {
          if (recognise(life, lives[index - 1] ?? null)) states[name] = (states[name] ?? 0) + 1;
        }
      }
    } catch (error) {
      failures++;
      const files = job.files.map((records) => records.length);
      options.print(`SEED=${seed}: ${JSON.stringify({ ...job, files })}`);
      options.print(error instanceof Error ? (error.stack ?? error.message) : String(error));
      if (failures >= options.failuresMax) break;
    }
  }
  const missed = Object.entries(states).flatMap(([name, reached]) => (reached === 0 ? [name] : []));
  const range = `${options.count} seeds from ${options.from}`;
  options.print(`${range}, ${count} lives: ${failures} failures`);
  for (const [name, reached] of Object.entries(states)) options.print(`  ${name}: ${reached}`);
  return { failures, states, missed };
}

function isAt({ crashedAt }: Life, pattern: RegExp): boolean {
  return crashedAt !== null && pattern.test(crashedAt);
}
