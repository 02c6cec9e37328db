/**
 * Refuses watermark alignment where it could not hold a source back: an operator behind an exchange would hold back
 * what all subtasks share, the slow ones too. Callers: `plan.ts`, once chains are known. Runs on: any thread; pure.
 */
import { MillraceError } from '../base/errors.js';
import type { Vertex } from './physical-plan.js';

/** Throws GRAPH_INVALID unless every aligned operator is chained to its source. */
export function checkAlignment(jobName: string, vertices: readonly Vertex[]): void {
  for (const vertex of vertices) {
    if (vertex.source !== null) continue;
    for (const { spec } of vertex.operators) {
      if (spec.kind !== 'assignTimestamps' || spec.watermarks.alignment === null) continue;
      throw new MillraceError(
        'GRAPH_INVALID',
        `${JSON.stringify(spec.name)} aligns watermarks, but is not in the chain of a source ` +
          'that it could hold back.',
        {
          where: { job: jobName, operator: spec.name, uid: spec.uid },
          advice:
            'Put it right behind the source, with the parallelism of the source; explain shows ' +
            'why a chain breaks.',
        },
      );
    }
  }
}
