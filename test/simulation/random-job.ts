/**
 * Draws a job from a seed: sources, operators and deals of every kind in a random graph, with the settings and the
 * misfortunes of its run. The reference model is asked for every node's rows on the way, so that no node grows
 * beyond what a quick test can bear. Runs on: the test's thread.
 */
import { type Random, SeededRandom } from '../../src/base/random.js';
import { evaluateNode, inputOf, type Row } from './reference-model.js';
import {
  type Deal,
  isOrderFree,
  type KeyChoice,
  type SimBody,
  type SimCommand,
  type SimJob,
  type SimNode,
} from './sim-job.js';
import {
  FILTERS,
  type FilterName,
  FLAT_MAPS,
  type FlatMapName,
  MAPS,
  type MapName,
  makeRows,
} from './sim-records.js';

/** Rows that a node gives at most, and those that updates of sums may be made from. */
const NODE_ROWS_MAX = 6000;
const UPDATE_ROWS_MAX = 400;

/** What the generator knows of the stream behind a node. */
interface Known {
  /** 'record': of `Rec`; 'other': of other fields; 'loose': not the same in every order of arrival. */
  readonly like: 'record' | 'other' | 'loose';
  /** Whether every record has the field `o`, null or not. */
  readonly hasO: boolean;
}

/** Draws the job of a seed. */
export function randomJob(seed: number): SimJob {
  return new JobMaker(seed).make();
}

class JobMaker {
  readonly #seed: number;
  readonly #random: Random;
  readonly #parallelism: number;
  readonly #nodes: SimNode[] = [];
  readonly #known: Known[] = [];
  readonly #rows: (readonly Row[])[] = [];

  constructor(seed: number) {
    this.#seed = seed;
    this.#random = new SeededRandom(seed ^ 0x5eed);
    this.#parallelism = 1 + this.#random.below(5);
  }

  make(): SimJob {
    const sources = this.#pick([1, 1, 1, 2, 2, 3]);
    const rowsMax = this.#pick([3, 40, 40, 500, 500, 500, 5000]);
    for (let index = 0; index < sources; index++) this.#source(rowsMax);
    for (let left = this.#random.below(9); left > 0; left--) this.#operator();
    this.#sinks();
    const nodes = this.#chance(0.12) ? this.#withThrow() : this.#nodes;
    return {
      seed: this.#seed,
      nodes,
      parallelism: this.#parallelism,
      batchRows: this.#pick([1, 2, 3, 7, 16, 16, 64, 64, 1024]),
      preAggregateKeys: this.#pick([0, 1, 4, 4, 64, 16384, 16384]),
      ringBytes: this.#pick([640, 1024, 4096, 16384, 65536]),
      commands: this.#commands(),
      localShare: this.#pick([0, 0, 0.5, 1]),
    };
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[this.#random.below(choices.length)];
  }

  #chance(share: number): boolean {
    return this.#random.next() < share;
  }

  #keys<N extends string>(named: Readonly<Record<N, unknown>>): N {
    return this.#pick(Object.keys(named) as N[]);
  }

  #width(): number {
    return this.#chance(0.6) ? this.#parallelism : 1 + this.#random.below(5);
  }

  #source(rowsMax: number): void {
    const rows = this.#chance(0.07) ? 0 : this.#random.below(rowsMax + 1);
    const shape = {
      rows,
      splits: this.#random.below(rows === 0 ? 2 : 8) + (rows === 0 ? 0 : 1),
      keys: this.#pick([1, 3, 20, 500, 5000, 5000]),
      keyKind: this.#chance(0.15) ? ('odd' as const) : ('small' as const),
      textFrom: this.#chance(0.3) ? this.#random.below(rows + 1) : null,
      optional: this.#chance(0.3),
      nulls: this.#chance(0.5),
      nested: this.#chance(0.2),
      bigBytes: this.#chance(0.1) ? this.#pick([3000, 40_000, 90_000]) : 0,
    };
    const made = makeRows(shape, this.#nodes.length * 100_000, this.#random);
    const body: SimBody = {
      kind: 'source',
      shape,
      rows: made,
      waits: this.#chance(0.5),
      failsAt: this.#chance(0.04) ? this.#random.below(12) : null,
    };
    this.#add(body, [], this.#width(), { like: 'record', hasO: shape.nulls && rows > 0 }, made);
  }

  /** Adds an operator behind one or more streams, if the one that was drawn is possible there. */
  #operator(): void {
    const from = this.#usable(() => true);
    if (from === null) return;
    const known = this.#known[from];
    if (known.like === 'other') return this.#plain({ kind: 'normal' }, from);
    switch (this.#random.below(12)) {
      case 0:
      case 1:
        return this.#plain({ kind: 'map', fn: this.#keys<MapName>(MAPS) }, from);
      case 2:
        return this.#plain({ kind: 'filter', fn: this.#keys<FilterName>(FILTERS) }, from);
      case 3:
      case 4:
        return this.#plain({ kind: 'flatMap', fn: this.#keys<FlatMapName>(FLAT_MAPS) }, from);
      case 5: {
        const test = this.#pick(['v', 'k', 's', known.hasO ? 'o' : 'v'] as const);
        return this.#plain({ kind: 'where', test }, from);
      }
      case 6:
        return this.#plain({ kind: 'select', withO: known.hasO && this.#chance(0.5) }, from);
      case 7:
      case 8:
      case 9:
        return this.#aggregate(from, known);
      case 10:
        return this.#reduce(from);
      default:
        return this.#distinct(from);
    }
  }

  /** The id of a stream that more can be put behind, the newest ones more often. */
  #usable(fits: (known: Known) => boolean): number | null {
    const ids = this.#nodes
      .map((node) => node.id)
      .filter((id) => this.#known[id].like !== 'loose' && fits(this.#known[id]));
    if (ids.length === 0) return null;
    return this.#chance(0.6) ? ids[ids.length - 1] : this.#pick(ids);
  }

  /** An operator without a key, with any deals, sometimes over a union. */
  #plain(body: SimBody, from: number): void {
    const parallelism = this.#width();
    const inputs = [{ node: from, deal: this.#deal(from, parallelism) }];
    for (let others = this.#chance(0.25) ? 1 + this.#random.below(2) : 0; others > 0; others--) {
      const other = this.#usable((known) => known.like === this.#known[from].like);
      if (other !== null) inputs.push({ node: other, deal: this.#deal(other, parallelism) });
    }
    const haveO = inputs.every((input) => this.#known[input.node].hasO);
    const fitting = haveO ? body : withoutO(body);
    this.#add(fitting, inputs, parallelism, { like: 'record', hasO: haveO && keepsO(fitting) });
  }

  #deal(from: number, parallelism: number): Deal {
    if (this.#chance(0.45)) return null;
    const isForward = this.#nodes[from].parallelism === parallelism;
    return this.#pick([
      isForward ? 'forward' : 'rebalance',
      'rebalance',
      'rescale',
      'shuffle',
      'global',
      this.#known[from].like === 'record' ? 'custom' : 'shuffle',
      this.#rows[from].length * parallelism < NODE_ROWS_MAX / 4 ? 'broadcast' : 'rebalance',
    ] as const);
  }

  #aggregate(from: number, { hasO }: Known): void {
    const isSmall = this.#rows[from].length <= UPDATE_ROWS_MAX;
    const set = this.#pick(['count', 'basic', 'rich'] as const);
    const emit = this.#chance(0.35) && (isSmall || set === 'count') ? 'updates' : 'final';
    const withO = hasO && this.#chance(0.5);
    const by = this.#pick<KeyChoice>(['k', 'k', 's', 'ks', 'fn']);
    this.#keyed({ kind: 'aggregate', by, set, withO, emit }, from, this.#width());
  }

  #reduce(from: number): void {
    const isSmall = this.#rows[from].length <= UPDATE_ROWS_MAX;
    const emit = this.#chance(0.4) && isSmall ? 'updates' : 'final';
    this.#keyed({ kind: 'reduce', by: this.#pick(['k', 'ks', 'fn']), emit }, from, this.#width());
  }

  #distinct(from: number): void {
    const by = this.#pick(['k', 's', 'ks'] as const);
    this.#keyed({ kind: 'distinct', by }, from, this.#parallelism);
    const made = this.#nodes.length - 1;
    if (this.#nodes[made].kind !== 'distinct' || this.#chance(0.3)) return;
    const inputs = [{ node: made, deal: null }];
    const known: Known = { like: 'record', hasO: false };
    this.#add({ kind: 'keysOnly', by }, inputs, this.#parallelism, known);
  }

  #keyed(body: SimBody & { readonly by: KeyChoice }, from: number, parallelism: number): void {
    const inputs: { node: number; deal: Deal }[] = [{ node: from, deal: null }];
    const other = this.#chance(0.2) ? this.#usable((known) => known.like === 'record') : null;
    if (other !== null) inputs.push({ node: other, deal: null });
    const probe = { ...body, ...this.#common([], parallelism) };
    const orderFree = isOrderFree(probe);
    const like = !orderFree ? 'loose' : body.kind === 'aggregate' ? 'other' : 'record';
    const withO =
      body.kind === 'aggregate' && body.withO && inputs.every((i) => this.#known[i.node].hasO);
    const fitting = body.kind === 'aggregate' ? { ...body, withO } : body;
    this.#add(fitting, inputs, parallelism, { like, hasO: false });
  }

  /** Every stream that nothing consumes gets a sink, and some others too. */
  #sinks(): void {
    const consumed = new Set(this.#nodes.flatMap((node) => node.inputs.map((input) => input.node)));
    for (const { id } of [...this.#nodes]) {
      if (consumed.has(id) && this.#chance(0.75)) continue;
      const isChained = this.#chance(0.5);
      const parallelism = isChained ? this.#nodes[id].parallelism : this.#width();
      const isLoose = this.#known[id].like === 'loose';
      const dealt = isLoose
        ? this.#pick([null, 'rebalance', 'global'] as const)
        : this.#deal(id, parallelism);
      const deal = isChained ? null : dealt;
      const body: SimBody = {
        kind: 'sink',
        refuses: this.#chance(0.5),
        columns: this.#known[id].like === 'record' && this.#chance(0.2) ? ['id', 'v'] : null,
        failsAt: this.#chance(0.03) ? this.#random.below(8) : null,
      };
      const inputs = [{ node: id, deal }];
      const known: Known = { like: 'loose', hasO: false };
      this.#add(body, inputs, parallelism, known);
    }
  }

  #common(
    inputs: SimNode['inputs'],
    parallelism: number,
  ): Omit<SimNode, keyof SimBody> & {
    readonly id: number;
    readonly inputs: SimNode['inputs'];
    readonly parallelism: number;
    readonly chain: SimNode['chain'];
    readonly throwsAt: null;
  } {
    const chain = this.#pick(['always', 'always', 'always', 'always', 'head', 'never'] as const);
    return { id: this.#nodes.length, inputs, parallelism, chain, throwsAt: null };
  }

  /** Adds a node unless it would give too many rows. */
  #add(
    body: SimBody,
    inputs: SimNode['inputs'],
    parallelism: number,
    known: Known,
    made: readonly Row[] | null = null,
  ): void {
    const node: SimNode = { ...body, ...this.#common(inputs, parallelism) };
    const rows = made ?? evaluateNode(node, inputOf(node, this.#rows));
    if (rows.length > NODE_ROWS_MAX && body.kind !== 'sink') return;
    this.#nodes.push(node);
    this.#known.push(known);
    this.#rows.push(rows);
  }

  /** The nodes, one of whose functions throws at one of the records that reach it. */
  #withThrow(): readonly SimNode[] {
    const possible = this.#nodes.filter(
      (node) =>
        (node.kind === 'map' || node.kind === 'filter' || node.kind === 'flatMap') &&
        inputOf(node, this.#rows).length > 0,
    );
    if (possible.length === 0) return this.#nodes;
    const chosen = this.#pick(possible);
    const record = this.#pick(inputOf(chosen, this.#rows));
    const throwsAt = Number(record['id']);
    return this.#nodes.map((node) => (node === chosen ? { ...node, throwsAt } : node));
  }

  #commands(): readonly SimCommand[] {
    if (this.#chance(0.7)) return [];
    return Array.from({ length: 1 + this.#random.below(3) }, () => ({
      at: this.#random.below(2 ** this.#random.below(15)),
      what: this.#pick(['cancel', 'stop', 'drain', 'drain'] as const),
    }));
  }
}

/** The same operator without use of the field `o`. */
function withoutO(body: SimBody): SimBody {
  if (body.kind === 'where' && body.test === 'o') return { ...body, test: 'v' };
  return body.kind === 'select' ? { ...body, withO: false } : body;
}

/** Whether every record behind an operator still has the field `o`. */
function keepsO(body: SimBody): boolean {
  if (body.kind === 'map') return !['narrow', 'tag', 'holes'].includes(body.fn);
  if (body.kind === 'flatMap') return body.fn !== 'chunks';
  if (body.kind === 'select') return body.withO;
  return body.kind === 'filter' || body.kind === 'where';
}
