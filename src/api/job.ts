/**
 * `job()`: a name and a function that builds the dataflow. A definition does nothing by itself;
 * `build` runs the function and gives the graph, on the caller's thread and again in every slot.
 * Callers: job modules, the runtime. Runs on: any thread. Invariant: equal parameters give equal
 * graphs as long as the function is pure.
 */
import { MillraceError } from '../base/errors.js';
import type { LogicalGraph } from '../graph/logical-graph.js';
import { jobHook } from '../runtime/job-import.js';
import { callingModule, callSite } from './call-site.js';
import { Flow } from './flow.js';
import { GraphBuilder } from './graph-builder.js';

/** Distinguishes definitions from look-alikes, across copies of the package. */
const BRAND = Symbol.for('millrace.job');
/**
 * Where the definitions of this thread are found by name, for modules that were imported before.
 */
const REGISTRY = Symbol.for('millrace.jobs');

/** The definition of a job. `P` is the type of its parameters. */
export interface JobDefinition<P = unknown> {
  readonly [BRAND]: true;
  readonly name: string;
  /** URL of the module that called `job()`, which slots import; null when there is none. */
  readonly module: string | null;
  /** Whether importing that module defines the job. */
  readonly isImportable: boolean;
  /** `file:line:column` of the call of `job()`. */
  readonly definedAt: string | null;
  /**
   * Builds the graph. Absent parameters are `{}`, so that defaults in the function's signature
   * apply.
   */
  build(params?: P): LogicalGraph;
}

/**
 * A function that builds a job. Written as the type of a method, because parameters of methods are
 * compared in both directions: so `(flow, { days = 1 }) => …` fits and the type of `days` comes
 * from its default.
 */
export type JobFunction = { build(flow: Flow, params: unknown): void }['build'];

/** The parameters that the second argument of a job function declares. */
export type ParamsOf<F> = F extends (flow: Flow, params: infer P) => void ? P : unknown;

/**
 * Defines a job. Export it from a module, so that slots can import it, and pass values as
 * parameters rather than by capturing them.
 *
 * @example
 * export default job('busiest-origins', (flow, { days = 1 }) => {
 *   flow.from(csv('flights.csv')).keyBy('origin').aggregate({ flights: count() }).to(csv('out'));
 * });
 */
export function job<F extends JobFunction>(name: string, build: F): JobDefinition<ParamsOf<F>> {
  const definedAt = callSite(job);
  if (typeof name !== 'string' || name.trim() === '') {
    throw new MillraceError('OPTION_INVALID', 'The name of a job is a text that is not empty.', {
      advice: 'Write job("name", (flow) => { ... }).',
    });
  }
  if (typeof build !== 'function') {
    throw new MillraceError('OPTION_INVALID', `Job "${name}" has no function that builds it.`, {
      where: { job: name },
      advice: 'Write job("name", (flow) => { ... }).',
    });
  }
  const { module, isTopLevel } = callingModule(job);
  const definition: JobDefinition<ParamsOf<F>> = Object.freeze({
    [BRAND]: true as const,
    name,
    module,
    isImportable: module !== null && isTopLevel,
    definedAt,
    build: (params?: ParamsOf<F>) => buildGraph(name, build, params),
  });
  definedJobs().set(name, definition);
  jobHook()?.onJob(definition);
  return definition;
}

/** Whether a value is a definition made by `job()`, of this or another copy of the package. */
export function isJobDefinition(value: unknown): value is JobDefinition {
  return typeof value === 'object' && value !== null && BRAND in value;
}

/** The newest definition of each name that `job()` made on this thread. */
export function definedJobs(): Map<string, JobDefinition<never>> {
  const holder = globalThis as { [REGISTRY]?: Map<string, JobDefinition<never>> };
  holder[REGISTRY] ??= new Map();
  return holder[REGISTRY];
}

function buildGraph(name: string, build: JobFunction, params: unknown): LogicalGraph {
  const builder = new GraphBuilder(name);
  const result: unknown = build(new Flow(builder), params ?? {});
  if (result instanceof Promise) {
    // Its outcome is of no use any more; without a handler a rejection would end the process.
    result.catch(() => undefined);
    throw new MillraceError('GRAPH_INVALID', `The function of job "${name}" is async.`, {
      where: { job: name },
      advice: 'Build the graph synchronously; await what you need before and pass it as params.',
    });
  }
  return builder.finish();
}
