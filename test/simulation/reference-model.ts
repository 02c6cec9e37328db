/**
 * What a simulated job must give, computed in the plainest way: every stream is an array, every operator a loop over
 * it. Order means nothing; results are compared as multisets. Runs on: the test's thread.
 */
import { keyNames, type KeyChoice, type SimNode } from './sim-job.js';
import {
  combine,
  FILTERS,
  FLAT_MAPS,
  fromAggregate,
  keyOf,
  KEYS_ONLY,
  MAPS,
  type Rec,
} from './sim-records.js';

/** Any row; streams of aggregates have other fields than `Rec`. */
export type Row = Readonly<Record<string, unknown>>;

/** What a function that is meant to fail throws. */
export class PlannedError extends Error {}

/** The function of a node, failing at the record it is to fail at. */
export function failing<R extends { readonly id: number }, U>(
  node: SimNode,
  fn: (record: R) => U,
): (record: R) => U {
  const { throwsAt } = node;
  if (throwsAt === null) return fn;
  return (record) => {
    if (record.id === throwsAt) throw new PlannedError(`record ${throwsAt} in node ${node.id}`);
    return fn(record);
  };
}

/**
 * The rows of every node; `taken` gives the rows that a source has handed out, `drops` names the nodes that were made
 * to give nothing. Throws `PlannedError`.
 */
export function evaluate(
  nodes: readonly SimNode[],
  taken: (source: SimNode) => readonly Rec[],
  drops: (node: SimNode) => boolean = () => false,
): readonly (readonly Row[])[] {
  const results: (readonly Row[])[] = [];
  for (const node of nodes) {
    if (node.kind === 'source') results.push(taken(node));
    else if (drops(node)) results.push([]);
    else results.push(evaluateNode(node, inputOf(node, results)));
  }
  return results;
}

/** All records that reach the subtasks of a node. */
export function inputOf(node: SimNode, results: readonly (readonly Row[])[]): readonly Row[] {
  return node.inputs.flatMap((input) => {
    const rows = results[input.node];
    const copies = input.deal === 'broadcast' ? node.parallelism : 1;
    return Array.from({ length: copies }, () => rows).flat();
  });
}

/** The rows that a node makes of its input. */
export function evaluateNode(node: SimNode, input: readonly Row[]): readonly Row[] {
  const records = input as readonly Rec[];
  switch (node.kind) {
    case 'map':
      return records.map(failing(node, MAPS[node.fn]));
    case 'filter':
      return records.filter(failing(node, FILTERS[node.fn]));
    case 'flatMap':
      return records.flatMap((record) => [...failing(node, FLAT_MAPS[node.fn])(record)]);
    case 'where':
      return records.filter((r) => WHERE[node.test](r));
    case 'select':
      return records.map((r) => ({
        id: r.id,
        k: r.k,
        s: r.s,
        v: r.v,
        e: r.v * 2 + r.k,
        ...(node.withO ? { o: r['o'] } : {}),
      }));
    case 'normal':
      return input.map(fromAggregate);
    case 'keysOnly':
      return records.map(KEYS_ONLY[node.by]);
    case 'aggregate':
      return groups(node.by, records).flatMap(([key, group]) =>
        node.emit === 'final'
          ? [aggregated(node, key, group)]
          : group.map((_, index) => aggregated(node, key, group.slice(0, index + 1))),
      );
    case 'reduce':
      return groups(node.by, records).flatMap(([, group]) =>
        node.emit === 'final'
          ? [group.reduce(combine)]
          : group.map((_, index) => group.slice(0, index + 1).reduce(combine)),
      );
    case 'distinct':
      return groups(node.by, records).map(([, group]) => group[0]);
    case 'sink':
      return input.map((row) => projected(row, node.columns));
    default:
      return input;
  }
}

function projected(row: Row, columns: readonly string[] | null): Row {
  if (columns === null) return row;
  return Object.fromEntries(columns.map((name) => [name, row[name]]));
}

const WHERE: Readonly<Record<'v' | 'k' | 's' | 'o', (r: Rec) => boolean>> = {
  v: (r) => r.v > 0,
  k: (r) => r.k % 2 === 0,
  s: (r) => r.s !== 'a',
  o: (r) => typeof r['o'] === 'number' && r['o'] > 40,
};

/** The records of each key, in order of arrival. */
export function groups(by: KeyChoice, records: readonly Rec[]): [Row, Rec[]][] {
  const found = new Map<string, [Row, Rec[]]>();
  for (const record of records) {
    const key: Row = by === 'fn' ? { key: keyOf(record) } : pick(record, keyNames(by));
    const text = keyText(key);
    const group = found.get(text);
    if (group === undefined) found.set(text, [key, [record]]);
    else group[1].push(record);
  }
  return [...found.values()];
}

/** Keys are equal by value: NaN equals itself, and -0 equals 0. */
export function keyText(key: Row): string {
  return JSON.stringify(key, (_, value: unknown) =>
    typeof value === 'number' ? `${value}` : value,
  );
}

function pick(record: Rec, names: readonly ('k' | 's')[]): Row {
  return Object.fromEntries(names.map((name) => [name, name === 'k' ? record.k + 0 : record.s]));
}

function aggregated(node: SimNode & { kind: 'aggregate' }, key: Row, group: readonly Rec[]): Row {
  const values = group.map((r) => r.v);
  const total = values.reduce((sum, v) => sum + v, 0);
  const base = { ...key, n: group.length };
  if (node.set === 'count') return base;
  const basic = {
    ...base,
    total,
    low: Math.min(...values),
    high: group
      .map((r) => r.s)
      .sort()
      .at(-1),
  };
  if (node.set === 'basic') return basic;
  const evens = group.filter((r) => r.k % 2 === 0).length;
  const rich = {
    ...basic,
    mean: total / group.length,
    evens,
    texts: new Set(group.map((r) => r.s)).size,
  };
  if (!node.withO) return rich;
  const present = group.map((r) => r['o']).filter((o) => typeof o === 'number');
  const least = present.length === 0 ? null : Math.min(...present);
  return { ...rich, known: present.length, least };
}
