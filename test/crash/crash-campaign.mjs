/**
 * Kills a job with SIGKILL at random instants, also while it recovers and while that recovers, with options of chance,
 * until it has come to its end, and compares what its sink shows with the input; then goes on from each savepoint that
 * it took. The oracle is here, outside of the engine. Callers: `crash.mjs`, the integration tests.
 */
import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CHILD = fileURLToPath(new URL('crash-child.mjs', import.meta.url));
const KEYS = 40;
/** Mulberry32: the same options and instants for the same seed. */
export function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * One job from its start to its end.
 *
 * @param {number} seed
 * @param {{ perKey: number, killsMax: number, savepointsMax: number }} size records of each key; kills before the job is
 *   left alone; savepoints to go on from: the slower the machine, the more are taken
 * @returns {Promise<{
 *   kills: number, restores: number, overtaken: number, savepoints: number, faults: readonly string[]
 * }>} `overtaken` restores are of checkpoints that hold records which they have overtaken
 */
export async function crashRun(seed, { perKey, killsMax, savepointsMax }) {
  const random = randomOf(seed);
  const directory = mkdtempSync(join(tmpdir(), 'millrace-crash-'));
  try {
    const options = optionsOf(random, directory, perKey);
    const mode = modeOf(seed);
    options.job = mode.job;
    Object.assign(options.settings, mode.settings);
    /** The checkpoints, over all lives, that have overtaken records. */
    const withRecords = new Set();
    let kills = 0;
    let restores = 0;
    let overtaken = 0;
    let orphans = false;
    for (;;) {
      options.parallelism = mode.parallelismOf(options.parallelism);
      const { signal, output, code } = await live(options, kills < killsMax ? random : null);
      const restored = /^restored (\d+)$/m.exec(output);
      if (withRecords.has(restored?.[1])) overtaken++;
      for (const [, id] of output.matchAll(/^overtook (\d+)$/gm)) withRecords.add(id);
      if (restored !== null) restores++;
      // What a life wrote that was killed before its first checkpoint is hidden and belongs to nobody.
      else if (signal === 'SIGKILL') orphans = true;
      if (signal !== 'SIGKILL') {
        if (code !== 0) return { kills, restores, overtaken, savepoints: 0, faults: [output] };
        const faults = checkOutput(
          options.params.output,
          perKey,
          orphans || options.savepoints !== null,
        );
        const savepoints = await goOnFromSavepoints(options, perKey, savepointsMax);
        faults.push(...savepoints.flat());
        return { kills, restores, overtaken, savepoints: savepoints.length, faults };
      }
      kills++;
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * Each savepoint, also one that was taken just before a kill, holds all that the job needs to come to its end. So many
 * are tried, the newest and others evenly before it.
 */
async function goOnFromSavepoints(options, perKey, most) {
  const { directory } = options.savepoints ?? {};
  const names = directory === undefined || !existsSync(directory) ? [] : readdirSync(directory);
  const paths = names.map((name) => join(directory, name));
  const complete = paths
    .filter((path) => existsSync(join(path, '_metadata')))
    .toSorted((a, b) => statSync(a).mtimeMs - statSync(b).mtimeMs);
  const count = Math.min(most, complete.length);
  const all = [];
  for (let index = 1; index <= count; index++) {
    const path = complete[Math.floor((index * complete.length) / count) - 1];
    const settings = { ...options.settings, 'execution.stateRecovery.path': path };
    const { code, output } = await live({ ...options, settings, savepoints: null }, null);
    const { lost, wrong } = readOutput(options.params.output, perKey);
    const faults = code === 0 ? [] : [output];
    if (lost > 0 || wrong.length > 0)
      faults.push(`${lost} records are lost after ${path}`, ...wrong);
    all.push(faults);
  }
  return all;
}

function optionsOf(random, directory, perKey) {
  const [input, output, marks] = ['in.ndjson', 'out', 'marks'].map((name) => join(directory, name));
  for (const made of [output, marks]) mkdirSync(made);
  const lines = [];
  for (let number = 1; number <= perKey; number++) {
    for (let key = 0; key < KEYS; key++) lines.push(JSON.stringify({ key, number }));
  }
  writeFileSync(input, `${lines.join('\n')}\n`);
  const oneOf = (...values) => values[Math.floor(random() * values.length)];
  return {
    params: { input, output, marks, failEvery: 5000, failures: oneOf(0, 0, 2), pauseEvery: 25 },
    parallelism: oneOf(1, 2, 3, 5),
    savepoints: oneOf(null, { directory: join(directory, 'savepoints'), every: oneOf(10, 30) }),
    runtime: oneOf('threads', 'threads', 'in-thread'),
    settings: {
      'execution.checkpointing.interval': oneOf('10ms', '30ms', '100ms'),
      'execution.checkpointing.dir': join(directory, 'checkpoints'),
      'execution.checkpointing.incremental': oneOf(true, false),
      'execution.checkpointing.numRetained': oneOf(1, 3),
      'execution.checkpointing.fsync': oneOf('always', 'never'),
      'exchange.batchRows': oneOf(16, 300, 1024),
      maxParallelism: 8,
    },
  };
}

/**
 * How checkpoints treat what is under way, of chance of its own, so that everything else of a seed stays what it was.
 * Every other job that overtakes goes through two exchanges, and every other one has another parallelism in each life.
 */
function modeOf(seed) {
  const random = randomOf(seed ^ 0x0a11);
  const oneOf = (...values) => values[Math.floor(random() * values.length)];
  const timeout = oneOf(null, null, 0, 0, 5);
  const job = timeout !== null && random() < 0.5 ? 'overtaken' : 'failing-often';
  const isRescaled = random() < 0.5;
  return {
    job,
    settings: {
      'execution.checkpointing.unaligned.enabled': timeout !== null,
      'execution.checkpointing.alignedCheckpointTimeout': timeout ?? 0,
    },
    parallelismOf: (parallelism) => (isRescaled ? oneOf(1, 2, 3, 5) : parallelism),
  };
}

/**
 * Runs the job until it ends, or kills it: while it starts or recovers, or a moment after some checkpoint. Without
 * `random` it is left alone.
 */
export function live(options, random) {
  const child = spawn(process.execPath, [CHILD, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text) => {
      output += text;
      const taken = output.split('checkpoint\n').length - 1;
      if (timer === null && taken >= checkpoints) timer = killAfter(moment);
      if (timer === null && isEager && output.includes('savepoint\n')) timer = killAfter(0);
    });
  }
  const killAfter = (ms) => setTimeout(() => child.kill('SIGKILL'), ms);
  const checkpoints = random === null ? Infinity : 1 + Math.floor(random() * 6);
  const isEager = random !== null && random() < 0.5;
  const moment = random === null ? 0 : random() * 40;
  let timer = random !== null && random() < 0.25 ? killAfter(random() * 700) : null;
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, output });
    });
  });
}

/** What is lost, there twice or out of order, in the parts that are visible; and what should not be there. */
function checkOutput(output, perKey, orphans) {
  const { seen, lost, wrong } = readOutput(output, perKey);
  const faults = [...wrong];
  for (const part of readdirSync(output)) {
    if (!part.startsWith('part-') && !orphans) faults.push(`left behind: ${part}`);
  }
  const twice = [...seen].filter(([, times]) => times > 1).length;
  if (twice > 0) faults.push(`${twice} records are there more than once`);
  if (lost > 0) faults.push(`${lost} records are lost`);
  return faults;
}

/** How often each record is visible, how many are not, and those that state has counted wrongly. */
function readOutput(output, perKey) {
  const seen = new Map();
  const wrong = [];
  for (const part of readdirSync(output).filter((name) => name.startsWith('part-'))) {
    for (const line of readFileSync(join(output, part), 'utf8').trim().split('\n').slice(1)) {
      const [key, number, ...counted] = line.split(',');
      if (counted.some((count) => count !== number)) {
        wrong.push(`record ${number} of key ${key} counted as ${counted.join(' and ')}`);
      }
      const id = `${key}/${number}`;
      seen.set(id, (seen.get(id) ?? 0) + 1);
    }
  }
  return { seen, lost: KEYS * perKey - seen.size, wrong };
}
