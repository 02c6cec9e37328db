/**
 * Numbers the subtasks that align their watermarks, and says who belongs together. Callers: deploy (room), the slot
 * builder. Runs on: any thread; pure. Invariant: every thread of a run numbers them alike, because all rebuild the
 * same plan.
 */
import type { PhysicalPlan } from '../graph/physical-plan.js';
import { AlignmentMember } from '../time/alignment.js';
import type { WatermarkAlignment } from '../time/watermark-strategy.js';

interface Aligned {
  readonly vertex: number;
  readonly operator: number;
  readonly subtask: number;
  readonly alignment: WatermarkAlignment;
}

/** The aligned subtasks of a plan; each has the cell of its position. */
export class AlignmentGroups {
  readonly #aligned: readonly Aligned[];

  constructor(plan: PhysicalPlan) {
    this.#aligned = plan.vertices.flatMap((vertex) =>
      vertex.operators.flatMap(({ spec }, operator): readonly Aligned[] => {
        if (spec.kind !== 'assignTimestamps' || spec.watermarks.alignment === null) return [];
        const { alignment } = spec.watermarks;
        return vertex.slots.map((_, subtask) => ({
          vertex: vertex.id,
          operator,
          subtask,
          alignment,
        }));
      }),
    );
  }

  /** How many cells there are. */
  get cells(): number {
    return this.#aligned.length;
  }

  /** Those of some vertices. */
  cellsOf(isOf: (vertex: number) => boolean): readonly number[] {
    return [...this.#aligned.keys()].filter((cell) => isOf(this.#aligned[cell].vertex));
  }

  /** The member that an operator is in a subtask; null when it is not aligned. */
  member(
    cells: Float64Array,
    vertex: number,
    operator: number,
    subtask: number,
  ): AlignmentMember | null {
    const own = this.#aligned.findIndex(
      (one) => one.vertex === vertex && one.operator === operator && one.subtask === subtask,
    );
    const found = this.#aligned[own];
    if (found === undefined) return null;
    const members = [...this.#aligned.keys()].filter(
      (at) => this.#aligned[at]?.alignment.group === found.alignment.group,
    );
    return new AlignmentMember(cells, own, members, found.alignment);
  }
}
