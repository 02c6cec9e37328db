/**
 * The one sentence that answers "why is it not faster": the first busy chain after those that wait for it, or who
 * else sets the pace. Callers: the live view of the command line, the server. Runs on: the caller's thread; pure.
 */
import type { ChainView, RunViewModel } from './view-model.js';

/** What the sentence is made from. */
export interface Bottleneck {
  /** The chain that sets the pace; null when the sentence is about none. */
  readonly chain: number | null;
  readonly sentence: string;
}

/** A chain that is blocked for longer than this share is held up by one behind it. */
const BLOCKED_SHARE = 0.2;
/** A ring that is fuller than this has a slow consumer. */
const FULL_RING = 0.5;
/** Shares from which a chain or all slots together count as busy. */
const BUSY_SHARE = 0.5;
const SLOTS_BUSY_SHARE = 0.85;
/** One of n subtasks that gets more than this many times its fair part of the rows. */
const SKEW_FACTOR = 1.6;

/** Finds it; null while there is too little to say. `slots` is the number of threads the chains share. */
export function bottleneck(model: RunViewModel, slots: number): Bottleneck | null {
  const { chains } = model;
  if (chains.every((chain) => chain.rowsPerSecond === 0 && chain.shares.busy < BUSY_SHARE)) {
    return waiting(model);
  }
  const slow = mostBusy(chains.filter((chain) => holdsUpOthers(chain, model)));
  if (slow !== null && slow.shares.busy > 0) return slowChain(slow);
  const worked = mostBusy(chains);
  if (worked === null) return null;
  const total = chains.reduce((sum, chain) => sum + chain.shares.busy * chain.parallelism, 0);
  const slotsShare = total / Math.max(1, slots);
  if (worked.shares.busy >= BUSY_SHARE) return slowChain(worked);
  if (slotsShare >= SLOTS_BUSY_SHARE) return allBusy(worked, Math.min(1, slotsShare));
  return waiting(model);
}

/** Whether chains before this one wait for it, while it does not itself wait for one behind it. */
function holdsUpOthers(chain: ChainView, { chains, edges }: RunViewModel): boolean {
  if (chain.shares.blocked > BLOCKED_SHARE) return false;
  if (edges.some((edge) => edge.from === chain.id && edge.fill > FULL_RING)) return false;
  return edges.some((edge) => {
    const feeds = edge.to === chain.id;
    const before = chains[edge.from];
    return feeds && (edge.fill > FULL_RING || (before?.shares.blocked ?? 0) > BLOCKED_SHARE);
  });
}

function slowChain(chain: ChainView): Bottleneck {
  const busy = percent(chain.shares.busy);
  const { busiest, parallelism } = chain;
  if (busiest !== null && parallelism > 1 && busiest.rowsShare * parallelism > SKEW_FACTOR) {
    const who = `subtask ${busiest.subtask} of ${parallelism}`;
    const share = percent(busiest.rowsShare);
    return {
      chain: chain.id,
      sentence: `${named(chain)} sets the pace: ${who} gets ${share} of its rows`,
    };
  }
  const who = chain.isSource ? `The source ${named(chain)}` : named(chain);
  return { chain: chain.id, sentence: `${who} sets the pace: busy ${busy} of the time` };
}

function allBusy(chain: ChainView, slotsShare: number): Bottleneck {
  return {
    chain: chain.id,
    sentence: `The slots are ${percent(slotsShare)} busy, most of it in ${named(chain)}`,
  };
}

function waiting({ chains }: RunViewModel): Bottleneck | null {
  const source = chains.find((chain) => chain.isSource && chain.shares.idle > BUSY_SHARE);
  if (source === undefined) return null;
  const idle = percent(source.shares.idle);
  return { chain: source.id, sentence: `${named(source)} waits for input ${idle} of the time` };
}

function mostBusy(chains: readonly ChainView[]): ChainView | null {
  let most: ChainView | null = null;
  for (const chain of chains) {
    if (most === null || chain.shares.busy > most.shares.busy) most = chain;
  }
  return most;
}

/** The chain by its first and last operators, which is enough to find it. */
function named(chain: ChainView): string {
  const parts = chain.name.split(' -> ');
  const [first = ''] = parts;
  const last = parts.at(-1) ?? first;
  return parts.length < 3 ? `"${parts.join(' → ')}"` : `"${first} → … → ${last}"`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
