/**
 * Kills a job with SIGKILL at random instants, also while it recovers and while that recovers, with options of chance,
 * until it has come to its end, and compares what its sink shows with the input. The oracle is here, outside of the
 * engine. Callers: `crash.mjs`, the integration tests.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CHILD = fileURLToPath(new URL('crash-child.mjs', import.meta.url));
const KEYS = 40;
/** Mulberry32: the same options and instants for the same seed. */
function randomOf(seed) {
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
 * @param {{ perKey: number, killsMax: number }} size records of each key; kills before the job is left alone
 * @returns {Promise<{ kills: number, restores: number, faults: readonly string[] }>}
 */
export async function crashRun(seed, { perKey, killsMax }) {
  const random = randomOf(seed);
  const directory = mkdtempSync(join(tmpdir(), 'millrace-crash-'));
  try {
    const options = optionsOf(random, directory, perKey);
    let kills = 0;
    let restores = 0;
    let orphans = false;
    for (;;) {
      const { signal, output, code } = await live(options, kills < killsMax ? random : null);
      if (output.includes('restored')) restores++;
      // What a life wrote that was killed before its first checkpoint is hidden and belongs to nobody.
      else if (signal === 'SIGKILL') orphans = true;
      if (signal !== 'SIGKILL') {
        const faults = code === 0 ? checkOutput(options.params.output, perKey, orphans) : [output];
        return { kills, restores, faults };
      }
      kills++;
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
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
 * Runs the job until it ends, or kills it: while it starts or recovers, or a moment after some checkpoint. Without
 * `random` it is left alone.
 */
function live(options, random) {
  const child = spawn(process.execPath, [CHILD, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text) => {
      output += text;
      const taken = output.split('checkpoint\n').length - 1;
      if (timer === null && taken >= checkpoints) timer = killAfter(moment);
    });
  }
  const killAfter = (ms) => setTimeout(() => child.kill('SIGKILL'), ms);
  const checkpoints = random === null ? Infinity : 1 + Math.floor(random() * 6);
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
  const seen = new Map();
  const faults = [];
  for (const part of readdirSync(output)) {
    if (!part.startsWith('part-')) {
      if (!orphans) faults.push(`left behind: ${part}`);
      continue;
    }
    for (const line of readFileSync(join(output, part), 'utf8').trim().split('\n').slice(1)) {
      const [key, number, expected] = line.split(',');
      if (number !== expected) faults.push(`record ${number} of key ${key} counted as ${expected}`);
      const id = `${key}/${number}`;
      seen.set(id, (seen.get(id) ?? 0) + 1);
    }
  }
  const twice = [...seen].filter(([, times]) => times > 1).length;
  if (twice > 0) faults.push(`${twice} records are there more than once`);
  if (seen.size !== KEYS * perKey) faults.push(`${KEYS * perKey - seen.size} records are lost`);
  return faults;
}
