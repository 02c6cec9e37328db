/**
 * Collects the nodes of one job while its function runs, gives each a uid and remembers the user's
 * line. The streams of the api are handles on it; nothing outside this folder sees it. Callers:
 * flow, streams. Runs on: any thread. Invariant: nodes are appended, never changed, so inputs
 * always come before their users.
 */
import type { SinkConnector, SourceConnector } from '../connector/contract.js';
import { deriveUid } from '../graph/derived-uid.js';
import type { LogicalGraph, LogicalNode, NodeInput } from '../graph/logical-graph.js';
import { identityOf } from '../graph/logical-graph.js';
import { partitionerText } from '../graph/partitioner-text.js';
import { freezePlain } from '../graph/plain-object.js';
import type { OperatorIdentity, OperatorSpec } from '../operator/operator-spec.js';
import type { Schema } from '../record/schema.js';
import { nodeOptions, type OperatorOptions } from './operator-options.js';

/** What an operator is apart from who it is. */
export type OperatorBody = OperatorSpec extends infer Spec
  ? Spec extends OperatorSpec
    ? Omit<Spec, keyof OperatorIdentity>
    : never
  : never;

/** A process function. */
export type ProcessBody = Extract<OperatorBody, { kind: 'process' }>;
/** What a join is, without its identity. */
export type JoinBody = Extract<OperatorBody, { kind: 'join' }>;

/** Who asks for a node: the verb, the user's options and the user's line. */
export interface NodeRequest {
  readonly kind: string;
  readonly defaultName: string;
  /**
   * What a derived uid is made from when the user gave no name; the display name may tell too much.
   */
  readonly uidName: string;
  readonly options: OperatorOptions;
  readonly createdAt: string | null;
}

/** The graph of a job under construction. */
export class GraphBuilder {
  readonly #jobName: string;
  readonly #nodes: LogicalNode[] = [];
  readonly #uids = new Set<string>();

  constructor(jobName: string) {
    this.#jobName = jobName;
  }

  /** Adds a source; returns its node id. */
  source(request: NodeRequest, connector: SourceConnector, schema: Schema | null): number {
    const identity = this.#identify(request, []);
    const options = nodeOptions(request.options);
    return this.#push({ kind: 'source', id: 0, options, inputs: [], identity, connector, schema });
  }

  /** Adds an operator over the union of `inputs`; returns its node id. */
  operator(request: NodeRequest, inputs: readonly NodeInput[], body: OperatorBody): number {
    const spec = { ...this.#identify(request, inputs), ...body };
    const options = nodeOptions(request.options);
    return this.#push({ kind: 'operator', id: 0, options, inputs, spec });
  }

  /** Adds a sink of the union of `inputs`; returns its node id. */
  sink(request: NodeRequest, inputs: readonly NodeInput[], connector: SinkConnector): number {
    const identity = this.#identify(request, inputs);
    const options = nodeOptions(request.options);
    return this.#push({ kind: 'sink', id: 0, options, inputs, identity, connector });
  }

  /** Whether a node may give records to a tag: it is a function, or has windows with that tag for late records. */
  givesToTag(node: number, tag: string): boolean {
    const found = this.#nodes[node];
    if (found?.kind !== 'operator') return false;
    const { spec } = found;
    return spec.kind === 'process' || (spec.kind === 'aggregate' && spec.window?.lateTag === tag);
  }

  /** The uid of a node. */
  uidOf(node: number): string {
    return identityOf(this.#nodes[node]).uid;
  }

  /** The graph so far, frozen. */
  finish(): LogicalGraph {
    return freezePlain({ jobName: this.#jobName, nodes: [...this.#nodes] });
  }

  #push(node: LogicalNode): number {
    const id = this.#nodes.length;
    this.#nodes.push({ ...node, id });
    return id;
  }

  /**
   * A uid the user gave is taken as it is; two of the same are refused when the graph is validated.
   */
  #identify(request: NodeRequest, inputs: readonly NodeInput[]): OperatorIdentity {
    const { name, uid: given } = request.options;
    const uid = given ?? this.#deriveUid(request.kind, name ?? request.uidName, inputs);
    this.#uids.add(uid);
    return { uid, name: name ?? request.defaultName, createdAt: request.createdAt };
  }

  #deriveUid(kind: string, name: string, inputs: readonly NodeInput[]): string {
    const from = inputs.map((input) => {
      const node = this.#nodes[input.node];
      const uid = node === undefined ? '' : identityOf(node).uid;
      return { uid, partitioner: partitionerText(input.partitioner) };
    });
    return deriveUid({ kind, name, inputs: from }, this.#uids);
  }
}
