/**
 * The description of a simulated job as plain data, from which the engine's graph and the model's answer are both
 * made. Nodes name earlier nodes as their inputs. Runs on: the test's thread.
 */
import type { FilterName, FlatMapName, MapName, Rec, SourceShape } from './sim-records.js';

/** How the records of an input are dealt to the subtasks of a node; null leaves it to the engine. */
export type Deal =
  | 'forward'
  | 'rebalance'
  | 'rescale'
  | 'shuffle'
  | 'broadcast'
  | 'global'
  | 'custom'
  | null;

export type KeyChoice = 'k' | 's' | 'ks' | 'fn';

/** What a node does. */
export type SimBody =
  | {
      readonly kind: 'source';
      readonly shape: SourceShape;
      readonly rows: readonly Rec[];
      /** Whether polls find nothing now and then. */
      readonly waits: boolean;
      /** The poll that throws; null for none. */
      readonly failsAt: number | null;
    }
  | { readonly kind: 'map'; readonly fn: MapName }
  | { readonly kind: 'filter'; readonly fn: FilterName }
  | { readonly kind: 'flatMap'; readonly fn: FlatMapName }
  | { readonly kind: 'where'; readonly test: 'v' | 'k' | 's' | 'o' }
  | { readonly kind: 'select'; readonly withO: boolean }
  | {
      readonly kind: 'aggregate';
      readonly by: KeyChoice;
      readonly set: 'count' | 'basic' | 'rich';
      readonly withO: boolean;
      readonly emit: 'final' | 'updates';
    }
  /** Makes records of what an aggregation gives. */
  | { readonly kind: 'normal' }
  | { readonly kind: 'reduce'; readonly by: KeyChoice; readonly emit: 'final' | 'updates' }
  | { readonly kind: 'distinct'; readonly by: 'k' | 's' | 'ks' }
  /** Keeps the key fields of a distinct, which alone do not depend on the order of arrival. */
  | { readonly kind: 'keysOnly'; readonly by: 'k' | 's' | 'ks' }
  | {
      readonly kind: 'sink';
      /** Whether the writer takes only parts, or nothing, now and then. */
      readonly refuses: boolean;
      /** The fields it asks for; null for all. */
      readonly columns: readonly ('id' | 'v')[] | null;
      readonly failsAt: number | null;
    };

/** A node. */
export type SimNode = SimBody & {
  readonly id: number;
  readonly inputs: readonly { readonly node: number; readonly deal: Deal }[];
  readonly parallelism: number;
  readonly chain: 'always' | 'head' | 'never';
  /** Id of the record at which the node's function throws; null for none. */
  readonly throwsAt: number | null;
};

/** What is done to the run from outside, at a look at the clock. */
export interface SimCommand {
  readonly at: number;
  readonly what: 'cancel' | 'stop' | 'drain';
}

/** A job and how it is run. */
export interface SimJob {
  readonly seed: number;
  readonly nodes: readonly SimNode[];
  readonly parallelism: number;
  readonly batchRows: number;
  readonly preAggregateKeys: number;
  readonly ringBytes: number;
  /** Share of the channels that lie inside a slot; the others go through rings. */
  readonly localShare: number;
  readonly commands: readonly SimCommand[];
}

/** Names of the fields of a key. */
export function keyNames(by: 'k' | 's' | 'ks'): readonly ('k' | 's')[] {
  return by === 'ks' ? ['k', 's'] : [by];
}

/** Whether a node gives the same records in whatever order its inputs arrive. */
export function isOrderFree(node: SimNode): boolean {
  if (node.kind === 'distinct') return false;
  if (node.kind === 'aggregate') return node.emit === 'final' || node.set === 'count';
  return node.kind !== 'reduce' || node.emit === 'final';
}

/** The job as people read it, without the rows. */
export function describeJob(job: SimJob): string {
  const { nodes, ...settings } = job;
  const lines = nodes.map((node) => {
    const { id, kind, inputs, ...rest } = node;
    const shown = JSON.stringify(rest, (name, value) => (name === 'rows' ? undefined : value));
    const from = inputs.map(
      (input) => `${input.node}${input.deal === null ? '' : ` ${input.deal}`}`,
    );
    return `  ${id}: ${kind} <- [${from.join(', ')}] ${shown}`;
  });
  return [JSON.stringify(settings), ...lines].join('\n');
}
