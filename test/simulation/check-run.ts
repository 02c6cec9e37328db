/**
 * The oracle of a simulated run: results, counters, commits, closings and errors against the reference model. Runs
 * on: the test's thread. Invariant: a check that does not apply is skipped only for a reason written beside it.
 */
import { MillraceError } from '../../src/base/errors.js';
import { evaluate, groups, inputOf, keyText, PlannedError, type Row } from './reference-model.js';
import { describeJob, isOrderFree, type SimNode } from './sim-job.js';
import { canonical, combine, type Rec } from './sim-records.js';
import type { SimRun } from './simulate.js';

/** Throws when anything about the run is not as it must be. */
export function checkRun(run: SimRun): void {
  try {
    if (run.error === null) checkFinished(run);
    else checkEnded(run);
    checkClosed(run);
    checkStates(run);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`SEED=${run.job.seed}: ${reason}\n${describeJob(run.job)}`, { cause: error });
  }
}

function must(condition: boolean, what: () => string): void {
  if (!condition) throw new Error(what());
}

/** Every reader and writer that was opened was closed, once. */
function checkClosed({ sources, sinks }: SimRun): void {
  for (const [id, record] of [...sources, ...sinks]) {
    must(
      record.opened === record.closed,
      () => `node ${id}: ${JSON.stringify({ ...record, written: 0, taken: 0 })}`,
    );
  }
}

function checkStates({ states, execution, error }: SimRun): void {
  const ends = states.filter((state) => ['FINISHED', 'FAILED', 'CANCELED'].includes(state));
  must(ends.length === 1 && ends[0] === states.at(-1), () => `states ${states.join(' ')}`);
  must(execution.state === ends[0], () => `state ${execution.state} after ${ends[0]}`);
  const expected =
    error === null ? 'FINISHED' : codeOf(error) === 'JOB_CANCELED' ? 'CANCELED' : 'FAILED';
  must(ends[0] === expected, () => `ended ${ends[0]} instead of ${expected}`);
}

/** A run that was canceled or failed did so for a reason, and left nothing committed. */
function checkEnded(run: SimRun): void {
  const { error, given, sinks } = run;
  for (const [id, sink] of sinks) {
    must(sink.commits === 0, () => `sink ${id} was committed although the run failed`);
    must(sink.aborts === 1, () => `sink ${id} was aborted ${sink.aborts} times`);
  }
  const code = codeOf(error);
  if (code === 'JOB_CANCELED') return must(given.includes('cancel'), () => 'canceled by nobody');
  if (code === 'SOURCE_FAILED' || code === 'SINK_FAILED') {
    const failed = [...run.sources, ...run.sinks].find(([, record]) => record.failed)?.[0];
    must(failed !== undefined, () => `failed by nobody: ${shown(error)}`);
    const operator = MillraceError.is(error) ? (error.where.operator ?? '') : '';
    const name = `${code === 'SINK_FAILED' ? 'sink' : 'source'}-${failed}`;
    return must(operator.split(' -> ')[0] === name, () => `${shown(error)} instead of in ${name}`);
  }
  const thrower = run.job.nodes.find((node) => node.throwsAt !== null);
  must(code === 'USER_FUNCTION_FAILED' && thrower !== undefined, () => `failed: ${shown(error)}`);
  if (!MillraceError.is(error) || thrower === undefined) return;
  const name = `${thrower.kind}-${thrower.id}`;
  must(error.where.operator === name, () => `${shown(error)} instead of in ${name}`);
  must(error.where.uid === name, () => `uid ${error.where.uid} instead of ${name}`);
  must(
    error.message.includes(`record ${thrower.throwsAt}`),
    () => `another cause: ${shown(error)}`,
  );
}

function checkFinished(run: SimRun): void {
  const { sources, sinks, given, job } = run;
  must(!given.includes('cancel'), () => 'finished although it was canceled');
  for (const [id, record] of [...sources, ...sinks]) {
    must(!record.failed, () => `finished although node ${id} failed`);
  }
  const isWhole = given.length === 0;
  for (const node of job.nodes) {
    if (node.kind !== 'source' || !isWhole) continue;
    const taken = sources.get(node.id)?.taken.length;
    must(
      taken === node.rows.length,
      () => `source ${node.id} gave ${taken} of ${node.rows.length}`,
    );
  }
  const isStop = given.find((what) => what !== 'cancel') === 'stop';
  const results = expected(run, isStop);
  for (const node of job.nodes) {
    if (node.kind === 'sink') checkSink(run, node, results, isStop);
  }
  checkCounters(run);
}

/** What the rows that sources gave make; a stop drops what the aggregations behind a cut source hold. */
function expected(run: SimRun, isStop: boolean): readonly (readonly Row[])[] {
  const { job, sources } = run;
  try {
    return evaluate(
      job.nodes,
      (source) => sources.get(source.id)?.taken ?? [],
      (node) => isStop && isHolding(node) && isBehindCut(run, node.id),
    );
  } catch (error) {
    if (error instanceof PlannedError) throw new Error(`finished although ${error.message}`);
    throw error;
  }
}

function checkSink(
  run: SimRun,
  node: SimNode,
  results: readonly (readonly Row[])[],
  isStop: boolean,
): void {
  const record = run.sinks.get(node.id);
  must(record !== undefined, () => `sink ${node.id} was never made`);
  if (record === undefined) return;
  must(record.commits === 1, () => `sink ${node.id} was committed ${record.commits} times`);
  const writers = `${record.opened} writers, ${record.prepared} prepared, ${record.committed} committed`;
  must(record.prepared === record.opened && record.committed === record.opened, () => writers);
  must(record.aborts === 0, () => `sink ${node.id} was aborted after it was committed`);
  const [{ node: from }] = node.inputs;
  const producer = run.job.nodes[from];
  // A stop that comes when the last rows are read may still make some subtasks drop what they hold.
  const isPartial = isStop && holdsBack(run.job.nodes, from);
  if (isOrderFree(producer)) {
    compare(node, record.written, results[node.id], isPartial);
  } else if (!isPartial) {
    checkLoose(producer, record.written, inputOf(producer, results) as readonly Rec[]);
  }
}

/** Whether a node holds its results back until the end. */
function isHolding(node: SimNode): boolean {
  return (node.kind === 'aggregate' || node.kind === 'reduce') && node.emit === 'final';
}

/** Whether a source before a node was stopped before it had given all of its rows. */
function isBehindCut(run: SimRun, id: number): boolean {
  const node = run.job.nodes[id];
  if (node.kind !== 'source') return node.inputs.some((input) => isBehindCut(run, input.node));
  return run.sources.get(id)?.taken.length !== node.rows.length;
}

/** Whether a node that holds its results back stands before or at a node. */
function holdsBack(nodes: readonly SimNode[], id: number): boolean {
  const node = nodes[id];
  if (isHolding(node)) return true;
  return node.inputs.some((input) => holdsBack(nodes, input.node));
}

/** Compares multisets; with `isPartial`, rows may be missing but none may be wrong. */
export function compare(
  node: SimNode,
  written: readonly Row[],
  wanted: readonly Row[],
  isPartial: boolean,
): void {
  const counts = new Map<string, number>();
  for (const row of wanted) count(counts, canonical(row), 1);
  for (const row of written) count(counts, canonical(row), -1);
  const missing = [...counts].filter(([, n]) => n > 0);
  const surplus = [...counts].filter(([, n]) => n < 0);
  if (surplus.length === 0 && (isPartial || missing.length === 0)) return;
  const few = (rows: readonly [string, number][]): string =>
    rows
      .slice(0, 4)
      .map(([row, n]) => `${n} x ${row.slice(0, 300)}`)
      .join('\n    ');
  throw new Error(
    `sink ${node.id} got ${written.length} rows instead of ${wanted.length}\n` +
      `  missing ${missing.length}: ${few(missing)}\n  surplus ${surplus.length}: ${few(surplus)}`,
  );
}

function count(counts: Map<string, number>, key: string, by: number): void {
  const value = (counts.get(key) ?? 0) + by;
  if (value === 0) counts.delete(key);
  else counts.set(key, value);
}

/** Results that depend on the order of arrival, as far as they do not. */
export function checkLoose(
  producer: SimNode,
  written: readonly Row[],
  input: readonly Rec[],
): void {
  if (producer.kind === 'distinct') return checkDistinct(producer, written, input);
  if (producer.kind !== 'aggregate' && producer.kind !== 'reduce') throw new Error('not loose');
  const rowsOf = new Map<string, Row[]>();
  const isReduce = producer.kind === 'reduce';
  const keyed = isReduce && producer.by === 'fn';
  for (const row of written) {
    // The result of a reduce by a function tells its key no more; all keys are compared together.
    const key = keyed ? '' : keyText(keyPart(producer.by, row));
    rowsOf.set(key, [...(rowsOf.get(key) ?? []), row]);
  }
  const wanted = groups(producer.by, input);
  must(keyed || rowsOf.size === wanted.length, () => `${rowsOf.size} keys, not ${wanted.length}`);
  for (const [key, group] of wanted) {
    const rows = rowsOf.get(keyed ? '' : keyText(key)) ?? [];
    if (isReduce) {
      const last = canonical(group.reduce(combine));
      must(
        rows.some((row) => canonical(row) === last),
        () => `no update says ${last}`,
      );
      must(
        keyed || rows.length === group.length,
        () => `${rows.length} updates, not ${group.length}`,
      );
      continue;
    }
    const counts = rows.map((row) => Number(row['n'])).sort((a, b) => a - b);
    must(
      counts.length === group.length && counts.every((n, index) => n === index + 1),
      () => `${JSON.stringify(key)} was updated to the counts ${counts.join(' ')}`,
    );
    const last = rows.find((row) => row['n'] === group.length);
    const total = group.reduce((sum, r) => sum + r.v, 0);
    must(last?.['total'] === total, () => `${JSON.stringify(last)} should have the total ${total}`);
  }
}

function keyPart(by: string, row: Row): Row {
  if (by === 'fn') return { key: row['key'] };
  return by === 'ks' ? { k: row['k'], s: row['s'] } : { [by]: row[by] };
}

function checkDistinct(
  producer: SimNode & { kind: 'distinct' },
  written: readonly Row[],
  input: readonly Rec[],
): void {
  const known = new Set(input.map(canonical));
  const foreign = written.find((row) => !known.has(canonical(row)));
  must(foreign === undefined, () => `${canonical(foreign)} is no input`);
  const keys = groups(producer.by, written as readonly Rec[]).length;
  const wanted = groups(producer.by, input).length;
  must(keys === wanted && written.length === wanted, () => `${written.length} of ${wanted} keys`);
}

/** Every row that was sent was received. */
function checkCounters({ plan, execution }: SimRun): void {
  const { vertices, edges } = execution.metrics();
  for (const vertex of plan.vertices) {
    if (vertex.source !== null) continue;
    const sent = vertex.inputs.reduce((rows, edge) => rows + edges[edge].rows, 0);
    const { rowsIn } = vertices[vertex.id];
    must(rowsIn === sent, () => `${vertex.name} received ${rowsIn} rows of ${sent}`);
  }
}

function codeOf(error: unknown): string | null {
  return MillraceError.is(error) ? error.code : null;
}

function shown(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const where = MillraceError.is(error) ? JSON.stringify(error.where) : '';
  return `${codeOf(error)} ${error.message} ${where}\n${error.stack ?? ''}`;
}
