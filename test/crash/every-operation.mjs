/**
 * Kills a job, its recovery and the recovery from that at every operation of the disk, each time in a process of its own,
 * and compares what is visible in the end with the input. The oracle is here, outside of the engine. Callers:
 * `crash.mjs`, the integration tests.
 */
import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../../', import.meta.url));
const KEYS = 6;
const PER_KEY = 100;
/** A savepoint is gone on from at every so many points. */
const SAVEPOINT_EVERY = 4;

/** Ways of taking checkpoints, each of which is tried. */
const WAYS = {
  full: { 'execution.checkpointing.incremental': false },
  incremental: { 'execution.checkpointing.incremental': true },
  unaligned: {
    'execution.checkpointing.incremental': false,
    'execution.checkpointing.unaligned.enabled': true,
  },
  'aligned-timeout': {
    'execution.checkpointing.incremental': true,
    'execution.checkpointing.unaligned.enabled': true,
    'execution.checkpointing.alignedCheckpointTimeout': 1,
  },
};

/**
 * @param {{
 *   stride: number, offset?: number, ways?: readonly string[] | null, print?: (line: string) => void
 * }} options `stride` n takes every n-th operation, from `offset` on; `ways` are some of those to take checkpoints.
 * @returns {Promise<{ points: number, kills: number, restores: number, savepoints: number, faults: readonly string[] }>}
 */
export async function everyOperation({ stride, offset = 1, ways = null, print = () => {} }) {
  const unknown = ways?.find((way) => !(way in WAYS));
  if (unknown !== undefined) throw new RangeError(`There is no way "${unknown}".`);
  const outdir = mkdtempSync(join(root, 'node_modules', '.millrace-crash-'));
  const directory = mkdtempSync(join(tmpdir(), 'millrace-operations-'));
  try {
    await build({
      entryPoints: { child: join(root, 'test/crash/every-operation-child.ts') },
      bundle: true,
      platform: 'node',
      target: 'node20',
      packages: 'external',
      format: 'esm',
      splitting: true,
      outdir,
      outExtension: { '.js': '.mjs' },
      logLevel: 'warning',
    });
    // Side by side, since machines have two cores.
    const totals = await Promise.all(
      Object.entries(WAYS)
        .filter(([name]) => ways === null || ways.includes(name))
        .map(([name, settings]) => {
          const place = join(directory, name);
          mkdirSync(place);
          const campaign = new Campaign(join(outdir, 'child.mjs'), place, settings);
          return campaign.run(stride, offset, (line) => print(`${name} checkpoints, ${line}`));
        }),
    );
    const sum = (name) => totals.reduce((all, total) => all + total[name], 0);
    return {
      points: sum('points'),
      kills: sum('kills'),
      restores: sum('restores'),
      savepoints: sum('savepoints'),
      faults: totals.flatMap(({ faults }) => faults),
    };
  } finally {
    for (const made of [outdir, directory]) rmSync(made, { recursive: true, force: true });
  }
}

/** One job with one way of taking checkpoints. Paths are in checkpoints, so all of its lives are in one place. */
class Campaign {
  #child;
  #directory;
  #settings;
  #total = { points: 0, kills: 0, restores: 0, savepoints: 0, faults: [] };

  constructor(child, directory, settings) {
    this.#child = child;
    this.#directory = directory;
    this.#settings = settings;
  }

  async run(stride, offset, print) {
    let state = join(this.#directory, 'begin');
    mkdirSync(state);
    const lines = [];
    for (let number = 1; number <= PER_KEY; number++) {
      for (let key = 0; key < KEYS; key++) lines.push(JSON.stringify({ key, number }));
    }
    writeFileSync(join(state, 'in.ndjson'), `${lines.join('\n')}\n`);
    for (const what of ['the job', 'its recovery', 'the recovery from that']) {
      const clean = await this.#lives(state, [null]);
      const { journal } = clean;
      if (journal === undefined) throw new Error(`A life that was left alone died: ${clean.said}`);
      if (what === 'the job') this.#checkClean(clean);
      let points = 0;
      for (let at = offset; at <= journal.length; at += stride) {
        await this.#point(state, at, what, points++ % SAVEPOINT_EVERY === 0);
      }
      print(`${what}: killed at ${points} of ${journal.length} operations`);
      // The next one recovers from a kill between the second checkpoint and the third, then from one in its beginning.
      const complete = journal.flatMap((entry, index) => (isPublished(entry) ? [index + 1] : []));
      const middle = what === 'the job' ? complete[1] + 8 : Math.floor(complete[0] / 2);
      await this.#lives(state, [middle]);
      const next = join(this.#directory, what);
      cpSync(this.#work, next, { recursive: true });
      state = next;
    }
    return this.#total;
  }

  /** A life that was left alone has taken all that it was to take. */
  #checkClean({ taken, inFlightBytes }) {
    if (taken < 4) throw new Error('Too few checkpoints were taken.');
    const overtakes = this.#settings['execution.checkpointing.unaligned.enabled'] === true;
    const waits = this.#settings['execution.checkpointing.alignedCheckpointTimeout'] !== undefined;
    // One that waits for a while may have found nothing to overtake.
    if (overtakes && !waits && inFlightBytes === 0) throw new Error('Nothing was overtaken.');
  }

  get #work() {
    return join(this.#directory, 'work');
  }

  /** Lives that begin with what is in `state`, each killed at an operation, or left alone; what the last one said. */
  async #lives(state, kills) {
    rmSync(this.#work, { recursive: true, force: true });
    cpSync(state, this.#work, { recursive: true });
    let last = {};
    for (const killAt of kills) last = await this.#life(killAt);
    return last;
  }

  async #point(state, at, what, goesOnFromSavepoint) {
    const total = this.#total;
    const killed = await this.#lives(state, [at]);
    const last = await this.#life(null);
    total.points++;
    if (killed.killedAt !== undefined) total.kills++;
    if (typeof last.restored === 'number') total.restores++;
    const faults = last.journal === undefined ? [last.said] : checkOutput(this.#work);
    if (goesOnFromSavepoint) faults.push(...(await this.#savepoint()));
    for (const fault of faults) {
      total.faults.push(`${what}, killed at operation ${at} (${killed.killedAt}): ${fault}`);
    }
  }

  /** A savepoint that completed holds all that the job needs to come to its end. */
  async #savepoint() {
    const saved = join(this.#work, 'savepoints');
    const paths = existsSync(saved) ? readdirSync(saved).map((name) => join(saved, name)) : [];
    const path = paths.find((each) => existsSync(join(each, '_metadata')));
    if (path === undefined) return [];
    this.#total.savepoints++;
    const { journal, said } = await this.#life(null, path);
    const faults = journal === undefined ? [said] : lost(this.#work);
    return faults.map((fault) => `from ${path}: ${fault}`);
  }

  /** What the life said last. */
  #life(killAt, from = 'latest') {
    const options = { directory: this.#work, killAt, settings: this.#settings, from };
    const child = spawn(process.execPath, [this.#child, JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (text) => {
        said += text;
      });
    }
    return new Promise((resolve) => {
      child.on('close', (code, signal) => {
        const isOrderly = code === 0 || signal === 'SIGKILL';
        resolve(isOrderly ? JSON.parse(said.trim().split('\n').at(-1) ?? '{}') : { said });
      });
    });
  }
}

function isPublished(entry) {
  return /^rename .*\/chk-\d+\/_metadata$/.test(entry);
}

function recordsIn(directory) {
  const out = join(directory, 'out');
  const seen = new Map();
  for (const part of readdirSync(out).filter((name) => name.startsWith('part-'))) {
    for (const line of readFileSync(join(out, part), 'utf8').trim().split('\n')) {
      const { key, number, expected } = JSON.parse(line);
      const id = number === expected ? `${key}/${number}` : `${key}/${number} as ${expected}`;
      seen.set(id, (seen.get(id) ?? 0) + 1);
    }
  }
  return seen;
}

function lost(directory) {
  const seen = recordsIn(directory);
  const wrong = [...seen.keys()].filter((id) => id.includes(' as '));
  const missing = KEYS * PER_KEY - (seen.size - wrong.length);
  return [...wrong, ...(missing === 0 ? [] : [`${missing} records are lost`])];
}

/** What is lost, there twice or counted wrongly, and what is left of checkpoints after the end of the job. */
function checkOutput(directory) {
  const faults = [...lost(directory)];
  const twice = [...recordsIn(directory).values()].filter((times) => times > 1).length;
  if (twice > 0) faults.push(`${twice} records are there more than once`);
  const checkpoints = join(directory, 'checkpoints');
  for (const home of readdirSync(checkpoints)) {
    for (const name of readdirSync(join(checkpoints, home))) {
      const isEmptied =
        name === 'shared' && readdirSync(join(checkpoints, home, name)).length === 0;
      if (name !== 'finished' && !name.startsWith('epoch-') && !isEmptied) {
        faults.push(`left behind: ${name}`);
      }
    }
  }
  return faults;
}
