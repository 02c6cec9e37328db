/**
 * Runs a whole job with arrays in the place of its sources and sinks. The job is built, planned and run by the
 * in-thread runtime as it is; only its connectors are others. Callers: users' tests. Runs on: the test's thread.
 */
import type { JobDefinition } from '../api/job.js';
import { isJobDefinition } from '../api/job.js';
import { settingsOf } from '../api/run-options.js';
import { MillraceError } from '../base/errors.js';
import { didYouMean } from '../base/nearest-name.js';
import { collection } from '../connector/collection/collection.js';
import { identityOf, type LogicalGraph, type LogicalNode } from '../graph/logical-graph.js';
import { startRun } from '../runtime/start-run.js';
import { arrayWorld } from './array-world.js';
import { checkTestOptions } from './harness-options.js';
import { outputSink, TestOutput } from './test-output.js';

/** Options of a run on arrays. */
export interface RunOnArraysOptions<P = unknown> {
  /**
   * The records of sources, by `uid` or `name`. A source that is not named stays as it is, if it ends.
   */
  readonly sources?: Readonly<Record<string, readonly unknown[]>>;
  /** Parameters of the job. */
  readonly params?: P;
  /** Subtasks of each operator, all on this thread. Default 1. */
  readonly parallelism?: number;
  /**
   * Shuffles the order in which subtasks are stepped, and picks the size of frames and how fast the clock goes. The
   * same seed gives the same run. Absent: subtasks in order, large frames.
   */
  readonly seed?: number;
  /** Further settings of the run by their keys. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

const CHECKS = {
  sources: (value: unknown) => {
    const isOfArrays =
      typeof value === 'object' && value !== null && Object.values(value).every(Array.isArray);
    return isOfArrays ? null : 'arrays by uid or name of the sources';
  },
  params: () => null,
  parallelism: () => null,
  seed: (value: unknown) => (Number.isSafeInteger(value) ? null : 'a whole number'),
  settings: (value: unknown) =>
    typeof value === 'object' && value !== null ? null : 'an object of settings by their keys',
};

/** A sink of the job, and what it was given. */
interface ReadSink {
  readonly uid: string;
  readonly name: string;
  readonly output: TestOutput<unknown>;
}

/** What a run on arrays gave. */
export class ArrayRun {
  readonly #sinks: readonly ReadSink[];

  /** Made by `runOnArrays`. */
  constructor(sinks: readonly ReadSink[]) {
    this.#sinks = sinks;
  }

  /** Names of the sinks, in the order of the job. */
  get sinks(): readonly string[] {
    return this.#sinks.map(({ name }) => name);
  }

  /**
   * The records that a sink was given, in order; the name may be left out when the job has one sink.
   *
   * @example
   * run.records<Count>('counts')
   */
  records<T = unknown>(sink?: string): readonly T[] {
    return this.output<T>(sink).records;
  }

  /** The records of a sink with event times and kinds of change. */
  output<T = unknown>(sink?: string): TestOutput<T> {
    const found = this.#sinks.filter(
      ({ uid, name }) => sink === undefined || uid === sink || name === sink,
    );
    const [first, ...others] = found;
    if (first !== undefined && others.length === 0) return first.output as TestOutput<T>;
    const named = sink === undefined ? '' : ` called "${sink}"`;
    throw new MillraceError('TEST_MISUSED', `The job has ${found.length} sinks${named}.`, {
      advice:
        found.length > 1
          ? `Name one by its uid: ${found.map(({ uid }) => uid).join(', ')}.`
          : didYouMean(sink ?? '', this.sinks),
    });
  }
}

/**
 * Runs a job to its end in this thread. Rejects with what the job failed with, OPTION_UNKNOWN or OPTION_INVALID for
 * an option, and TEST_MISUSED for a source that the job does not have. Asynchronous functions are waited for; meanwhile
 * the clock of the job goes as the machine's does, so give those that never answer a short `timeout`.
 *
 * @example
 * const run = await runOnArrays(visitCounts, { sources: { visits: [{ user: 'ann' }] } });
 * expect(run.records('counts')).toEqual([{ user: 'ann', count: 1 }]);
 */
export async function runOnArrays<P>(
  job: JobDefinition<P>,
  options: RunOnArraysOptions<P> = {},
): Promise<ArrayRun> {
  if (!isJobDefinition(job)) {
    throw new MillraceError('TEST_MISUSED', 'runOnArrays(...) takes a job.', {
      advice: 'Give it what job("name", (flow) => { ... }) returns.',
    });
  }
  checkTestOptions('runOnArrays', options, CHECKS);
  const { params, parallelism = 1, seed, settings } = options;
  const { world, batchRows } = arrayWorld(seed);
  const sinks: ReadSink[] = [];
  const execution = await startRun({
    job: {
      ...job,
      build: () => onArrays(job.build(params), options.sources ?? {}, sinks),
    },
    params,
    settings: settingsOf({
      parallelism,
      seed: (seed ?? 0) >>> 0,
      settings: { 'exchange.batchRows': batchRows, ...settings },
    }),
    baseDirectory: process.cwd(),
    signal: null,
    world,
  });
  await execution.finished;
  return new ArrayRun(sinks);
}

/** The graph with arrays in the place of the sources that are named, and of all sinks, which are added to `sinks`. */
function onArrays(
  graph: LogicalGraph,
  sources: Readonly<Record<string, readonly unknown[]>>,
  sinks: ReadSink[],
): LogicalGraph {
  const given = new Map(Object.entries(sources));
  const nodes = graph.nodes.map((node): LogicalNode => {
    if (node.kind === 'source') return withArray(node, given);
    if (node.kind === 'operator') return node;
    const { uid, name } = node.identity;
    const output = new TestOutput<unknown>();
    sinks.push({ uid, name, output });
    const { columns, parallelism } = node.connector;
    const connector = outputSink(output, { name, columns, parallelism, isFull: false });
    return { ...node, connector };
  });
  checkNames(graph, given.keys());
  return { ...graph, nodes };
}

type SourceNode = Extract<LogicalNode, { kind: 'source' }>;

function withArray(node: SourceNode, given: ReadonlyMap<string, readonly unknown[]>): SourceNode {
  const { uid, name } = node.identity;
  const records = given.get(uid) ?? given.get(name);
  if (records !== undefined) {
    const { schema } = node;
    const options = schema === null ? { name } : { name, schema };
    // An array has one reader, whatever the source it stands for was given.
    const nodeOptions = { ...node.options, parallelism: null };
    return { ...node, options: nodeOptions, connector: collection(records, options) };
  }
  if (node.connector.bounded) return node;
  throw new MillraceError('TEST_MISUSED', `The source "${name}" never ends.`, {
    where: { operator: name, uid },
    advice: `Give its records: runOnArrays(job, { sources: { ${JSON.stringify(name)}: [...] } }).`,
  });
}

/** Throws TEST_MISUSED for an array that is for no source, or for more than one. */
function checkNames(graph: LogicalGraph, names: Iterable<string>): void {
  const sources = graph.nodes.filter(({ kind }) => kind === 'source').map(identityOf);
  for (const wanted of names) {
    const found = sources.filter(({ uid, name }) => uid === wanted || name === wanted);
    if (found.length === 1) continue;
    throw new MillraceError(
      'TEST_MISUSED',
      `The job has ${found.length} sources called "${wanted}".`,
      {
        advice:
          found.length > 1
            ? `Name one by its uid: ${found.map(({ uid }) => uid).join(', ')}.`
            : didYouMean(
                wanted,
                sources.map(({ name }) => name),
              ),
      },
    );
  }
}
