/**
 * Refuses asynchronous functions in tests that have no event loop: what the kit runs goes on only when it is driven,
 * and its clock jumps. Callers: the harness and the run on arrays. Runs on: the test's thread; pure.
 */
import { MillraceError } from '../base/errors.js';
import type { LogicalGraph } from '../graph/logical-graph.js';

/** Gives the graph back. Throws FEATURE_UNSUPPORTED when a function of it waits for promises. */
export function withoutCalls(graph: LogicalGraph): LogicalGraph {
  for (const node of graph.nodes) {
    if (node.kind !== 'operator' || node.spec.kind !== 'asyncWait') continue;
    const { name, uid } = node.spec;
    throw new MillraceError(
      'FEATURE_UNSUPPORTED',
      `The test kit does not drive asynchronous functions, such as "${name}".`,
      {
        where: { operator: name, uid },
        advice:
          'Test what is before and behind it here, and the whole by run(job) with collectSink().',
      },
    );
  }
  return graph;
}
