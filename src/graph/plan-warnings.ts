/**
 * Facts about a job that are no errors but that its author should know, each with a way out.
 * Callers: `plan.ts`; explain prints them, the runtime logs them once. Runs on: any thread; pure.
 */
import type { OperatorSpec } from '../operator/operator-spec.js';
import { shortPlace } from './error-place.js';
import { identityOf, type LogicalGraph, type LogicalNode } from './logical-graph.js';

/** Operators that keep state, which a restart finds again by uid. */
const STATEFUL: ReadonlySet<OperatorSpec['kind']> = new Set([
  'aggregate',
  'reduce',
  'top',
  'distinct',
  'process',
  'join',
  'asyncWait',
]);

/** One sentence or two per fact, in the order of the graph. */
export function planWarnings(
  live: LogicalGraph,
  unused: readonly LogicalNode[],
): readonly string[] {
  const warnings: string[] = [];
  for (const node of unused) {
    // It only says that a keyed stream was made and not used, which the user wrote as part of the
    // stream.
    if (node.kind === 'operator' && node.spec.kind === 'computeKey') continue;
    warnings.push(
      `${quoted(node)} leads to no sink, so it does not run. Add .to(...) or remove it.`,
    );
  }
  for (const node of live.nodes) {
    if (node.kind !== 'operator' || node.options.uidGiven || !STATEFUL.has(node.spec.kind))
      continue;
    warnings.push(
      `${quoted(node)} keeps state under the derived uid "${node.spec.uid}", which changes ` +
        "with the job's structure. Give it a uid of its own.",
    );
  }
  return warnings;
}

function quoted(node: LogicalNode): string {
  const { name, createdAt } = identityOf(node);
  const place = shortPlace(createdAt);
  return place === null ? `"${name}"` : `"${name}" (${place})`;
}
