/**
 * The plan of a part under test: sources that the test feeds, the user's operators, and sinks that the test reads.
 * Callers: `test-harness.ts`. Runs on: the test's thread; pure. Invariant: every subtask is on this thread, and every
 * operator has one.
 */
import { Flow } from '../api/flow.js';
import { GraphBuilder } from '../api/graph-builder.js';
import { Stream } from '../api/stream.js';
import { MillraceError } from '../base/errors.js';
import type { SourceConnector } from '../connector/contract.js';
import type { PhysicalPlan } from '../graph/physical-plan.js';
import { planJob } from '../graph/plan.js';
import { planInThread } from '../runtime/plan-run.js';
import { planOptionsOf } from '../runtime/plan-options.js';
import type { Settings } from '../runtime/settings.js';
import type { HarnessOptions } from './harness-options.js';
import { outputSink, TestOutput } from './test-output.js';

/** Builds the part: given a stream for each input, it gives the stream of results. */
export type BuildPart = (...inputs: Stream<never>[]) => Stream<unknown>;

/** A planned part. */
export interface TestPart {
  readonly plan: PhysicalPlan;
  /** Uids of the sources, by input. */
  readonly inputs: readonly string[];
  readonly output: TestOutput<unknown>;
  /** By id of the tag. */
  readonly sideOutputs: ReadonlyMap<string, TestOutput<unknown>>;
}

/** Plans a part. Throws what planning a job with these operators throws, TEST_MISUSED and FEATURE_UNSUPPORTED. */
export function planPart(
  build: BuildPart,
  inputs: number,
  options: HarnessOptions,
  settings: Settings,
): TestPart {
  const builder = new GraphBuilder('test');
  const flow = new Flow(builder);
  const uids = Array.from({ length: inputs }, (_, index) => `test-input-${index + 1}`);
  const streams = uids.map((uid, index) => {
    const schema = options.schemas?.[index] ?? null;
    const connector = fedSource(`input ${index + 1}`, options.bounded ?? false);
    return flow.from(connector, schema === null ? { uid } : { uid, schema });
  });
  const result: unknown = build(...streams);
  if (!(result instanceof Stream)) throw noStream();
  const isFull = options.outputs === 'full';
  const read = (stream: Stream<unknown>, name: string): TestOutput<unknown> => {
    const output = new TestOutput<unknown>();
    const sink = outputSink(output, { name, columns: null, parallelism: 1, isFull });
    stream.to(sink, { uid: `test-${name}` });
    return output;
  };
  const output = read(result, 'output');
  const sideOutputs = new Map(
    (options.tags ?? []).map((tag) => [tag.id, read(result.sideOutput(tag), `side ${tag.id}`)]),
  );
  const planned = planJob(builder.finish(), {
    ...planOptionsOf(settings, {}),
    parallelism: 1,
  });
  return { plan: planInThread(planned), inputs: uids, output, sideOutputs };
}

/** A source that stands in the plan only: the chain behind it is fed. */
function fedSource(name: string, bounded: boolean): SourceConnector<never> {
  return {
    kind: 'source',
    type: 'test',
    name,
    bounded,
    host: true,
    maxParallelism: 1,
    guarantee: 'exactly-once',
    projects: false,
    plan: () => ({ schema: null, splits: [], bytes: null, rows: null, data: null }),
    open: () => {
      throw new MillraceError('ASSERTION', 'The source of a part under test has no reader.');
    },
  };
}

function noStream(): MillraceError {
  return new MillraceError('TEST_MISUSED', 'The function of the harness gave no stream.', {
    advice: "Return the stream to look at: testHarness((input) => input.keyBy('user').count()).",
  });
}
