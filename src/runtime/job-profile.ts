/**
 * What the threads of a job did in a while, as V8 sampled it, and what of that belongs to a chain: flame graphs, and
 * the functions that took the most time. Callers: `profiling.ts` makes profiles; the server and the command line show
 * them. Runs on: any thread; pure.
 */

/** With which the names of files begin that stand for subtasks, as `subtask-frame.ts` writes them. */
const SUBTASK_FILE = 'millrace:subtask/';

/** Options of a profile. */
export interface ProfileOptions {
  /** How long to look. From 0.1 to 60; default: 1. */
  readonly seconds?: number;
}

/** A function in a stack, as V8 has it. Lines and columns count from 0; those that are not known are -1. */
export interface ProfileFrame {
  readonly functionName: string;
  readonly scriptId: string;
  readonly url: string;
  readonly lineNumber: number;
  readonly columnNumber: number;
}

/** A stack: a function, and those below it that it called. */
export interface ProfileNode {
  readonly id: number;
  readonly callFrame: ProfileFrame;
  readonly children?: readonly number[];
}

/** The samples of one thread, in the format of `.cpuprofile` files, which browsers and editors open. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  /** Microseconds of a clock of its own. */
  readonly startTime: number;
  readonly endTime: number;
  /** The nodes that were seen, in order, and the microseconds before each. */
  readonly samples?: readonly number[];
  readonly timeDeltas?: readonly number[];
}

/** One thread of a job. */
export interface ThreadProfile {
  /** Its slot; -1 for the thread that started the job, where it runs a part of it. */
  readonly slot: number;
  readonly profile: CpuProfile;
}

/** What the threads of a job did in a while. */
export interface JobProfile {
  /** Wall clock, in ms. */
  readonly startMs: number;
  readonly endMs: number;
  readonly threads: readonly ThreadProfile[];
}

/** What a thread of a process does just now. */
export interface ThreadStack {
  readonly name: string;
  /** Node's number of it; 0 for the main thread. */
  readonly id: number;
  readonly state: 'RUNNABLE' | 'WAITING';
  /** Innermost first. */
  readonly frames: readonly ProfileFrame[];
}

/** A stack that was seen. */
export interface SeenStack {
  readonly slot: number;
  /** Whose step it was; null for what the slot does beside them. */
  readonly owner: { readonly vertex: number; readonly subtask: number } | null;
  /** Whether the thread had nothing to do. */
  readonly isWaiting: boolean;
  /** Outermost first; in the step of a subtask without those around it. */
  readonly frames: readonly ProfileFrame[];
  /** In how many samples. */
  readonly hits: number;
}

const ROOT = '(root)';
const IDLE = '(idle)';
const GARBAGE = '(garbage collector)';
/** The function in which a slot blocks its thread. */
const PARK = 'park';

/** The subtask in whose step a function with this file is the outermost; null for any other function. */
export function subtaskOfFrame(
  url: string,
): { readonly vertex: number; readonly subtask: number } | null {
  if (!url.startsWith(SUBTASK_FILE)) return null;
  const [vertex, subtask] = url.slice(SUBTASK_FILE.length).split('/').map(Number);
  return { vertex, subtask };
}

/** The stacks of a profile. */
export function stacksOf({ threads }: Pick<JobProfile, 'threads'>): readonly SeenStack[] {
  return threads.flatMap(({ slot, profile }) => {
    const stacks = stacksBelow(profile);
    const hits = new Map<string, { stack: Omit<SeenStack, 'slot' | 'hits'>; hits: number }>();
    const garbage = profile.nodes.find(({ callFrame }) => callFrame.functionName === GARBAGE);
    let before: number | null = null;
    for (const id of profile.samples ?? []) {
      // V8 notes collections by themselves; they are the work of whoever was interrupted.
      const isGarbage = id === garbage?.id;
      const of: number = isGarbage ? (before ?? id) : id;
      if (!isGarbage) before = id;
      const stack = stacks.get(of);
      if (stack === undefined) continue;
      const key = `${of} ${isGarbage}`;
      const found = hits.get(key);
      if (found !== undefined) found.hits++;
      else {
        const isExtra = isGarbage && of !== id;
        const frames = isExtra ? [...stack.frames, garbage.callFrame] : stack.frames;
        hits.set(key, { stack: { ...stack, frames }, hits: 1 });
      }
    }
    return [...hits.values()].map(({ stack, hits: count }) => ({ slot, ...stack, hits: count }));
  });
}

/** The stack that ends in each node. */
function stacksBelow({ nodes }: CpuProfile): ReadonlyMap<number, Omit<SeenStack, 'slot' | 'hits'>> {
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((of) => [of, id])));
  const byId = new Map(nodes.map((node) => [node.id, node]));
  return new Map(nodes.map(({ id }) => [id, stackOf(id, byId, parents)]));
}

function stackOf(
  leaf: number,
  nodes: ReadonlyMap<number, ProfileNode>,
  parents: ReadonlyMap<number, number>,
): Omit<SeenStack, 'slot' | 'hits'> {
  const frames: ProfileFrame[] = [];
  for (let id: number | undefined = leaf; id !== undefined; id = parents.get(id)) {
    const frame = nodes.get(id)?.callFrame;
    if (frame === undefined || frame.functionName === ROOT) continue;
    const owner = subtaskOfFrame(frame.url);
    if (owner !== null) return { owner, isWaiting: false, frames };
    frames.unshift(frame);
  }
  const name = frames.at(-1)?.functionName ?? IDLE;
  return { owner: null, isWaiting: name === IDLE || name === PARK, frames };
}

/** Which stacks a flame graph shows: all, those of threads that worked, or of those that waited. */
export type FlameGraphType = 'FULL' | 'ON_CPU' | 'OFF_CPU';

/** A function in a flame graph, with those that it called. */
export interface FlameNode {
  readonly name: string;
  /** In how many samples it was seen. */
  readonly value: number;
  readonly children: readonly FlameNode[];
}

/** Which part of a job is asked for. */
export interface ProfiledPart {
  readonly vertex: number;
  /** Null for all of them. */
  readonly subtask: number | null;
  /** Slots in which subtasks of it are: what these wait for, all of their subtasks wait for. */
  readonly slots: readonly number[];
}

/** Those stacks that belong to a chain, or to one of its subtasks. */
export function stacksOfPart(
  stacks: readonly SeenStack[],
  { vertex, subtask, slots }: ProfiledPart,
  type: FlameGraphType,
): readonly SeenStack[] {
  return stacks.filter(({ owner, isWaiting, slot }) => {
    if (isWaiting) return type !== 'ON_CPU' && slots.includes(slot);
    if (owner === null || type === 'OFF_CPU') return false;
    return owner.vertex === vertex && (subtask === null || owner.subtask === subtask);
  });
}

interface GrowingNode {
  readonly name: string;
  value: number;
  readonly children: Map<string, GrowingNode>;
}

/** A flame graph of stacks. */
export function flameGraph(stacks: readonly SeenStack[]): FlameNode {
  const root: GrowingNode = { name: 'root', value: 0, children: new Map() };
  for (const { frames, hits } of stacks) {
    let at = root;
    at.value += hits;
    for (const frame of frames) {
      const name = frameName(frame);
      let child = at.children.get(name);
      if (child === undefined) {
        child = { name, value: 0, children: new Map() };
        at.children.set(name, child);
      }
      child.value += hits;
      at = child;
    }
  }
  return ended(root);
}

function ended({ name, value, children }: GrowingNode): FlameNode {
  const below = [...children.values()].toSorted((a, b) => b.value - a.value);
  return { name, value, children: below.map(ended) };
}

/** A function with its file and line, as `parse orders.ts:12`. */
export function frameName({ functionName, url, lineNumber }: ProfileFrame): string {
  const name = functionName === '' ? '(anonymous)' : functionName;
  if (url === '') return name;
  const file = url.startsWith('millrace:') ? url : url.slice(url.lastIndexOf('/') + 1);
  return lineNumber < 0 ? `${name} ${file}` : `${name} ${file}:${lineNumber + 1}`;
}

/** A function with the samples in which it ran itself, and not one that it had called. */
export interface HotFunction {
  readonly name: string;
  readonly hits: number;
}

/** The functions of stacks, hottest first. */
export function hotFunctions(stacks: readonly SeenStack[]): readonly HotFunction[] {
  const hits = new Map<string, number>();
  for (const { frames, hits: count } of stacks) {
    const frame = frames.at(-1);
    if (frame === undefined) continue;
    const name = frameName(frame);
    hits.set(name, (hits.get(name) ?? 0) + count);
  }
  return [...hits]
    .map(([name, count]) => ({ name, hits: count }))
    .toSorted((a, b) => b.hits - a.hits);
}

/** A profile of one thread in which everything that is not of a chain is idle. */
export function profileOfVertex(profile: CpuProfile, vertex: number): CpuProfile {
  const stacks = stacksBelow(profile);
  const idle: ProfileNode = {
    id: Math.max(0, ...profile.nodes.map(({ id }) => id)) + 1,
    callFrame: { functionName: IDLE, scriptId: '0', url: '', lineNumber: -1, columnNumber: -1 },
  };
  const [root, ...others] = profile.nodes;
  const nodes = [{ ...root, children: [...(root.children ?? []), idle.id] }, ...others, idle];
  const garbage = profile.nodes.find(({ callFrame }) => callFrame.functionName === GARBAGE);
  let isOurs = false;
  const samples = (profile.samples ?? []).map((id) => {
    if (id !== garbage?.id) isOurs = stacks.get(id)?.owner?.vertex === vertex;
    return isOurs ? id : idle.id;
  });
  return { ...profile, nodes, samples };
}
