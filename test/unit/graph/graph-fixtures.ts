/**
 * Connectors that only say what they are, and a short way from a job function to a graph or plan.
 * Callers: the tests of graph and api. Runs on: the test's thread.
 */
import { job, type JobFunction } from '../../../src/api/job.js';
import type { SinkConnector, SourceConnector } from '../../../src/connector/contract.js';
import type { LogicalGraph } from '../../../src/graph/logical-graph.js';
import type { PhysicalPlan, Vertex } from '../../../src/graph/physical-plan.js';
import { planJob, type PlanOptions } from '../../../src/graph/plan.js';
import type { Field, Schema, SimpleKind } from '../../../src/record/schema.js';

/** The records of the tests. */
export interface Flight {
  origin: string;
  destination: string;
  delay: number;
  distance: number | null;
  date: Date;
  tags: string[];
}

/** A source that is never opened. */
export function source<T = Flight>(parts: Partial<SourceConnector<T>> = {}): SourceConnector<T> {
  return {
    kind: 'source',
    type: 'test',
    name: 'flights',
    bounded: true,
    host: false,
    maxParallelism: null,
    guarantee: 'exactly-once',
    projects: true,
    plan: () => ({ schema: null, splits: [], bytes: null, rows: null, data: null }),
    open: () => {
      throw new Error('A source of a plan test is never opened.');
    },
    ...parts,
  };
}

/** A sink that is never opened. */
export function sink(parts: Partial<SinkConnector> = {}): SinkConnector {
  return {
    kind: 'sink',
    type: 'test',
    name: 'out',
    host: false,
    parallelism: null,
    guarantee: 'at-least-once',
    columns: null,
    plan: () => null,
    open: () => {
      throw new Error('A sink of a plan test is never opened.');
    },
    ...parts,
  };
}

/** A schema of fields that may not be null. */
export function schema(fields: Readonly<Record<string, SimpleKind | Field['type']>>): Schema {
  return {
    shape: 'object',
    fields: Object.entries(fields).map(([name, type]) => ({
      name,
      type: typeof type === 'string' ? { kind: type } : type,
      nullable: false,
      optional: false,
    })),
  };
}

/** The schema of `Flight`. */
export const FLIGHT_SCHEMA: Schema = schema({
  origin: 'utf8',
  destination: 'utf8',
  delay: 'number',
  distance: 'number',
  date: 'date',
  tags: { kind: 'list', item: { type: { kind: 'utf8' }, nullable: false } },
});

/** The graph that a job function builds. */
export function graphOf(build: JobFunction): LogicalGraph {
  return job('test-job', build).build();
}

/** The plan of a job function, of parallelism 4 unless told otherwise. */
export function planOf(build: JobFunction, options: Partial<PlanOptions> = {}): PhysicalPlan {
  return planJob(graphOf(build), { parallelism: 4, ...options });
}

/** The vertex whose name contains a text. */
export function vertexNamed(plan: PhysicalPlan, name: string): Vertex {
  const found = plan.vertices.find((vertex) => vertex.name.includes(name));
  if (found === undefined) {
    throw new Error(`No vertex "${name}" among ${plan.vertices.map((v) => v.name).join('; ')}.`);
  }
  return found;
}
