/** Everything that can happen around a coordinator of three slots, and long random runs beside it. */
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../src/base/random.js';
import type {
  CheckpointPolicy,
  CheckpointRequest,
} from '../../../src/checkpoint/checkpoint-protocol.js';
import {
  checkEnd,
  firstWorld,
  RARE,
  signatureOf,
  stepsFrom,
  type World,
  type WorldLimits,
} from './coordinator-world.js';

const POLICY: CheckpointPolicy = {
  intervalMs: 10,
  timeoutMs: 25,
  minPauseMs: 0,
  maxConcurrent: 1,
  tolerableFailures: 1,
  numRetained: 1,
  isIncremental: true,
  overtakes: false,
};
const CHECKPOINT: CheckpointRequest = { token: 1, kind: 'checkpoint', stop: 'none', target: null };
const SAVEPOINT: CheckpointRequest = { token: 2, kind: 'savepoint', stop: 'none', target: 'sp' };
const STOP: CheckpointRequest = { token: 3, kind: 'savepoint', stop: 'drain', target: 'sp' };

const SEEDS = { from: 1, count: 400 };

interface Seen {
  readonly world: World;
  readonly from: Seen | null;
  readonly step: string;
}

/** Breadth first, so that a failure is told by one of the shortest ways to it. */
function explore(
  limits: WorldLimits,
  counts: Map<string, number>,
): { states: number; steps: number } {
  const seen = new Set<string>();
  let steps = 0;
  const first: Seen = { world: firstWorld(limits), from: null, step: 'start' };
  let frontier: Seen[] = [first];
  seen.add(signatureOf(first.world));
  while (frontier.length > 0) {
    const next: Seen[] = [];
    for (const from of frontier) {
      const possible = stepsFrom(from.world, limits, (what) => add(counts, what));
      try {
        if (possible.length === 0) checkEnd(from.world);
        for (const { name, to } of possible) {
          steps++;
          const world = labelled(to, name);
          const signature = signatureOf(world);
          if (seen.has(signature)) continue;
          seen.add(signature);
          next.push({ world, from, step: name });
        }
      } catch (error) {
        throw new Error(`${String(error)} after ${wayTo(from)}`, { cause: error });
      }
    }
    frontier = next;
  }
  return { states: seen.size, steps };
}

function labelled(to: () => World, name: string): World {
  try {
    return to();
  } catch (error) {
    throw new Error(`${String(error)} [${name}]`, { cause: error });
  }
}

function wayTo(seen: Seen): string {
  const names: string[] = [];
  for (let at: Seen | null = seen; at !== null; at = at.from) names.unshift(at.step);
  return names.join(', ');
}

function add(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}

/** A run of random steps, of which those that end something are unlikely, so that it is long. */
function walk(seed: number, limits: WorldLimits, counts: Map<string, number>): number {
  const random = new SeededRandom(seed);
  let world = firstWorld(limits);
  const names: string[] = [];
  try {
    for (;;) {
      const steps = stepsFrom(world, limits, (what) => add(counts, what));
      const calm = steps.filter(
        ({ name }) => !/^job (canceled|failed)$|finishes|misses|declines|failed$/.test(name),
      );
      const pool = calm.length > 0 && random.below(25) > 0 ? calm : steps;
      const step = pool[random.below(pool.length)];
      if (step === undefined) break;
      names.push(step.name);
      world = step.to();
    }
    checkEnd(world);
  } catch (error) {
    throw new Error(`${String(error)} with seed ${seed} after ${names.join(', ')}`, {
      cause: error,
    });
  }
  return names.length;
}

const strict = { ...POLICY, tolerableFailures: 0 };

/** What is tried wholly: the policy, and what a user asks for in the midst of it. */
const EXPLORED: readonly (readonly [string, WorldLimits])[] = [
  ['periodic ones', { policy: POLICY, slots: 3, checkpointsMax: 2, requests: [] }],
  ['a savepoint', { policy: strict, slots: 3, checkpointsMax: 1, requests: [SAVEPOINT] }],
  ['a stop', { policy: strict, slots: 3, checkpointsMax: 1, requests: [STOP] }],
  [
    'two at a time',
    {
      policy: { ...POLICY, maxConcurrent: 2 },
      slots: 2,
      checkpointsMax: 2,
      requests: [CHECKPOINT],
    },
  ],
];

describe('a checkpoint coordinator keeps its invariants', () => {
  const counts = new Map<string, number>();

  it.each(EXPLORED)('in every order of events: %s', (name, limits) => {
    const { states, steps } = explore(limits, counts);
    process.stdout.write(`${name}: ${states} states, ${steps} steps\n`);
    expect(states).toBeGreaterThan(10_000);
  });

  it('in long random runs', () => {
    const replay = process.env['SEED'];
    const seeds = replay === undefined ? SEEDS : { from: Number(replay), count: 1 };
    let steps = 0;
    for (let seed = seeds.from; seed < seeds.from + seeds.count; seed++) {
      const random = new SeededRandom(seed);
      const policy = {
        ...POLICY,
        maxConcurrent: 1 + random.below(3),
        minPauseMs: random.below(2) * 7,
        tolerableFailures: 5 + random.below(1000),
        numRetained: 1 + random.below(3),
        isIncremental: random.below(4) > 0,
      };
      const requests = Array.from({ length: random.below(6) }, (_, token) => ({
        ...(random.below(2) === 0 ? CHECKPOINT : SAVEPOINT),
        token,
      }));
      const mayFollow = random.below(3) === 0;
      const isStopped = random.below(3) === 0;
      const all = isStopped ? [...requests, { ...STOP, token: 99 }] : requests;
      const limits = {
        policy,
        slots: 1 + random.below(4),
        checkpointsMax: 60,
        requests: all,
        mayFollow,
      };
      steps += walk(seed, limits, counts);
    }
    process.stdout.write(`${seeds.count} random runs: ${steps} steps\n`);
    expect(steps).toBeGreaterThan(seeds.count);
  });

  it('and met everything that is rare', () => {
    process.stdout.write(RARE.map((name) => `  ${name}: ${counts.get(name) ?? 0}\n`).join(''));
    expect(RARE.filter((name) => !counts.has(name))).toEqual([]);
  });
});
