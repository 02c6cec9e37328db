/**
 * `npm run soak [-- --minutes 30] [--from SEED]`: one job runs all the time in this process, fails again and again and
 * goes on from its checkpoints, while others run in processes that are killed. What sinks show is checked in the end,
 * and that the process has not grown: threads, open files, memory, and files of checkpoints. Prints a line a minute, and
 * one that closes it; ends with code 1 for any fault.
 */
import { createReadStream, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { start } from 'millrace';
import { crashRun } from '../crash/crash-campaign.mjs';
import soaked from '../fixtures/jobs/soaked.mjs';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    from: { type: 'string', default: '1' },
  },
});
const endMs = Date.now() + Number(values.minutes) * 60_000;
const directory = mkdtempSync(join(tmpdir(), 'millrace-soak-'));
const [output, checkpoints] = ['out', 'checkpoints'].map((name) => join(directory, name));
const KILLED = { perKey: 600, killsMax: 6 };
/** Memory that is not growth: what ended threads have freed comes back in its own time. */
const SLACK_BYTES = 150e6;

const faults = [];
const total = { jobs: 1, failures: 0, checkpoints: 0, kills: 0, restores: 0 };
try {
  const execution = await start(soaked, {
    parallelism: 2,
    slot: { memory: '64mb' },
    params: { output, rowsPerSecond: 2000, failEveryMs: 8000 },
    settings: {
      'execution.checkpointing.interval': '200ms',
      'execution.checkpointing.dir': checkpoints,
      'restartStrategy.type': 'fixedDelay',
      'restartStrategy.fixedDelay.attempts': 1_000_000,
      'restartStrategy.fixedDelay.delay': '10ms',
      'restartStrategy.sameRecordFailures': 0,
    },
  });
  void count(execution.events());
  const finished = execution.finished.catch((error) => faults.push(`the job ended: ${error}`));
  const samples = [];
  for (let seed = Number(values.from); Date.now() < endMs && faults.length === 0; seed++) {
    const run = await crashRun(seed, KILLED);
    total.jobs++;
    total.kills += run.kills;
    total.restores += run.restores;
    faults.push(...run.faults.map((fault) => `seed ${seed}: ${fault}`));
    samples.push(held());
    if (samples.length % 10 === 1) console.log(sampleText(samples.at(-1)));
  }
  if (faults.length === 0) await execution.stop();
  await finished;
  faults.push(...(await faultsOf(output)), ...growthOf(samples));
} finally {
  rmSync(directory, { recursive: true, force: true });
}
for (const fault of faults.slice(0, 10)) console.log(fault);
console.log(
  `${values.minutes} minutes: ${total.jobs} jobs, ${total.kills} kills, ${total.restores} restores of them, ` +
    `${total.failures} failures and ${total.checkpoints} checkpoints of the one that stayed, ` +
    `${faults.length} faults`,
);
process.exitCode = faults.length === 0 ? 0 : 1;

async function count(events) {
  for await (const event of events) {
    if (event.type === 'restart') total.failures++;
    if (event.type === 'checkpoint' && event.report.status === 'completed') total.checkpoints++;
  }
}

/** What the process holds. */
function held() {
  globalThis.gc?.();
  const entries = (path) => (existsSync(path) ? readdirSync(path).length : 0);
  const jobs = existsSync(checkpoints) ? readdirSync(checkpoints) : [];
  return {
    threads: entries('/proc/self/task'),
    files: entries('/proc/self/fd'),
    rssBytes: process.memoryUsage.rss(),
    heapBytes: process.memoryUsage().heapUsed,
    checkpointFiles: jobs.reduce((sum, name) => sum + 1 + entries(join(checkpoints, name)), 0),
  };
}

function sampleText({ threads, files, rssBytes, heapBytes, checkpointFiles }) {
  const mb = (bytes) => `${(bytes / 1e6).toFixed(0)} MB`;
  return (
    `${new Date().toISOString()} ${threads} threads, ${files} files, ${mb(rssBytes)} resident, ` +
    `${mb(heapBytes)} heap, ${checkpointFiles} files of checkpoints; ${total.kills} kills, ${total.failures} failures`
  );
}

/** How the last quarter of the samples differs from the second one; the first is the warm-up. */
function growthOf(samples) {
  const quarter = Math.floor(samples.length / 4);
  if (quarter < 2) return [];
  const middle = (part, name) => {
    const sorted = part.map((sample) => sample[name]).toSorted((a, b) => a - b);
    return sorted[sorted.length >> 1];
  };
  const [before, after] = [samples.slice(quarter, 2 * quarter), samples.slice(-quarter)];
  const bounds = {
    threads: 2,
    files: 4,
    rssBytes: SLACK_BYTES,
    heapBytes: 10e6,
    checkpointFiles: 20,
  };
  return Object.entries(bounds).flatMap(([name, slack]) => {
    const [from, to] = [middle(before, name), middle(after, name)];
    return to > from + slack ? [`${name} have grown from ${from} to ${to}`] : [];
  });
}

/** Gaps, repetitions and miscounted records in the visible parts. */
async function faultsOf(path) {
  const seen = new Map();
  const wrong = [];
  for (const part of readdirSync(path).filter((name) => name.startsWith('part-'))) {
    const lines = createInterface({ input: createReadStream(join(path, part)) });
    for await (const line of lines) {
      const [key, number, expected] = line.split(',');
      if (key === 'key') continue;
      if (number !== expected) wrong.push(`record ${number} of key ${key} counted as ${expected}`);
      const numbers = seen.get(key) ?? new Set();
      if (numbers.has(number)) wrong.push(`record ${number} of key ${key} is there twice`);
      seen.set(key, numbers.add(number));
    }
  }
  for (const [key, numbers] of seen) {
    const most = [...numbers].reduce((least, number) => Math.max(least, Number(number)), 0);
    if (most !== numbers.size) wrong.push(`key ${key} lacks ${most - numbers.size} of its records`);
  }
  if (seen.size === 0) wrong.push('nothing was written');
  return wrong;
}
