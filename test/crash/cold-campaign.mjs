/**
 * Kills a job with SIGKILL at random instants that has nearly all of its state on disk: sliding windows, sessions, and
 * timers with state beside them. Options and memory are of chance. What it gives is compared with what the windows and
 * timers have to be of the same input; each savepoint is gone on from in memory or on disk. The oracle is here, outside
 * of the engine. Callers: `crash.mjs`, the integration tests.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GAP_MS, SLIDE_MS, SLIDING_MS, WAIT_MS } from '../fixtures/jobs/cold-windows.mjs';
import { live, randomOf } from './crash-campaign.mjs';

/**
 * One job from its start to its end.
 *
 * @param {number} seed
 * @param {{ rows: number, killsMax: number }} size kills before the job is left alone
 * @returns {Promise<{
 *   kills: number, restores: number, savepoints: number, results: number, faults: readonly string[]
 * }>}
 */
export async function coldCrashRun(seed, { rows, killsMax }) {
  const random = randomOf(seed ^ 0xc01d);
  const directory = mkdtempSync(join(tmpdir(), 'millrace-cold-crash-'));
  try {
    const oneOf = (...values) => values[Math.floor(random() * values.length)];
    const records = recordsOf(random, rows);
    const wanted = wantedOf(records);
    const options = optionsOf(oneOf, directory);
    const { input, output } = options.params;
    writeFileSync(input, `${records.map((record) => JSON.stringify(record)).join('\n')}\n`);
    const outcome = { kills: 0, restores: 0, savepoints: 0, results: wanted.size, faults: [] };
    for (;;) {
      const parallelism = oneOf(1, 2, 3);
      const isLast = outcome.kills === killsMax;
      const {
        signal,
        output: said,
        code,
      } = await live({ ...options, parallelism }, isLast ? null : random);
      if (said.includes('restored ')) outcome.restores++;
      if (signal === 'SIGKILL') {
        outcome.kills++;
        continue;
      }
      if (code !== 0) return { ...outcome, faults: [said] };
      outcome.faults.push(...faultsIn(readOutput(output), wanted, true));
      break;
    }
    for (const path of savepointsIn(options.savepoints.directory)) {
      const more = oneOf({}, { 'state.backend': 'memory', 'slot.memory': '256mb' });
      const { code, output: said } = await live(
        {
          ...options,
          parallelism: oneOf(1, 2, 3),
          savepoints: null,
          settings: { ...options.settings, ...more, 'execution.stateRecovery.path': path },
        },
        null,
      );
      outcome.savepoints++;
      const faults = code === 0 ? faultsIn(readOutput(output), wanted, false) : [said];
      outcome.faults.push(...faults.map((fault) => `from ${path}: ${fault}`));
    }
    return outcome;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function optionsOf(oneOf, directory) {
  const [input, output] = ['in.ndjson', 'out'].map((name) => join(directory, name));
  return {
    job: 'cold-windows',
    params: { input, output, pauseEvery: oneOf(15, 40) },
    savepoints: { directory: join(directory, 'savepoints'), every: oneOf(4, 12) },
    runtime: oneOf('threads', 'threads', 'in-thread'),
    settings: {
      'state.backend': 'lsm',
      'state.localDir': join(directory, 'local'),
      'slot.memory': '64mb',
      'slot.managedFraction': oneOf(0.02, 0.05, 0.1),
      'execution.checkpointing.interval': oneOf('30ms', '100ms'),
      // On a machine that is slow now, so that the job comes on between two of them.
      'execution.checkpointing.minPause': '200ms',
      'execution.checkpointing.dir': join(directory, 'checkpoints'),
      'execution.checkpointing.incremental': oneOf(true, false),
      'execution.checkpointing.numRetained': oneOf(1, 3),
      'exchange.batchRows': oneOf(64, 1024),
      maxParallelism: 8,
    },
  };
}

/** Of many keys, some of which come often, in the order of their times. */
function recordsOf(random, rows) {
  return Array.from({ length: rows }, (_, at) => {
    const key = Math.floor(random() < 0.3 ? random() * 100 : random() * rows);
    return { at, key: `key ${key}`, amount: 1 + Math.floor(random() * 9) };
  });
}

/** All results, by what they are of. */
function wantedOf(records) {
  const wanted = new Map();
  const byKey = new Map();
  for (const record of records) {
    const known = byKey.get(record.key);
    if (known === undefined) byKey.set(record.key, [record]);
    else known.push(record);
  }
  for (const [key, own] of byKey) {
    for (const { at, amount } of own) {
      for (let start = Math.floor(at / SLIDE_MS) * SLIDE_MS; start > at - SLIDING_MS; ) {
        add(wanted, ['sliding', key, start, start + SLIDING_MS], amount);
        start -= SLIDE_MS;
      }
    }
    for (let from = 0; from < own.length; ) {
      let to = from + 1;
      while (to < own.length && own[to].at <= own[to - 1].at + GAP_MS) to++;
      const id = ['sessions', key, own[from].at, own[to - 1].at + GAP_MS];
      for (const { amount } of own.slice(from, to)) add(wanted, id, amount);
      from = to;
    }
    let until = Number.NEGATIVE_INFINITY;
    for (const { at, amount } of own) {
      if (at > until) until = at + WAIT_MS;
      add(wanted, ['waits', key, until], amount);
    }
  }
  return new Map([...wanted].map(([id, { n, total }]) => [`${id},${n},${total}`, 1]));
}

function add(wanted, id, amount) {
  const { n, total } = wanted.get(id.join()) ?? { n: 0, total: 0 };
  wanted.set(id.join(), { n: n + 1, total: total + amount });
}

/** How often each result is there that is visible. */
function readOutput(output) {
  const seen = new Map();
  for (const name of existsSync(output) ? readdirSync(output) : []) {
    for (const part of readdirSync(join(output, name))) {
      if (!part.startsWith('part-')) continue;
      for (const line of readFileSync(join(output, name, part), 'utf8').split('\n')) {
        if (line === '') continue;
        const id = [name, ...Object.values(JSON.parse(line))].join();
        seen.set(id, (seen.get(id) ?? 0) + 1);
      }
    }
  }
  return seen;
}

/** A job that goes on from a savepoint adds to what was there: then only what is lost or wrong tells. */
function faultsIn(seen, wanted, isOnce) {
  const faults = [];
  const few = (what, ids) => {
    if (ids.length > 0) faults.push(`${ids.length} ${what}: ${ids.slice(0, 3).join('; ')}`);
  };
  few(
    'lost',
    [...wanted.keys()].filter((id) => !seen.has(id)),
  );
  few(
    'wrong',
    [...seen.keys()].filter((id) => !wanted.has(id)),
  );
  if (isOnce)
    few(
      'repeated',
      [...seen].filter(([, times]) => times > 1).map(([id]) => id),
    );
  return faults;
}

function savepointsIn(directory) {
  if (!existsSync(directory)) return [];
  const paths = readdirSync(directory).map((name) => join(directory, name));
  return paths.filter((path) => existsSync(join(path, '_metadata'))).slice(0, 2);
}
